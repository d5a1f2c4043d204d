"""What the database says of the demo's benchmarks: how they stand, and what they gave."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atlas.datasets import TagDescription
from atlas.states import ModelState, State
from demo.ranking import Score
from demo.training import TrainedModel
from storage.models import Benchmark, Metric, Model

ENDED = frozenset({State.DONE, State.FAILED, State.INCOMPATIBLE, State.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one model stands on one dataset version; `state` is None as long as there is no benchmark."""

    model: str
    tag: str
    version: int
    state: State | None
    reason: str

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in ENDED or bool(self.reason and self.state is None)

    def __str__(self) -> str:
        state = self.state.value if self.state else "not benchmarked"
        return f"{self.model} on {self.tag} version {self.version}: {state}" + (
            f": {self.reason}" if self.reason else ""
        )


def standings(models: Iterable[TrainedModel], tags: Sequence[TagDescription]) -> list[Standing]:
    """How each model stands on each version of its tag, in two reads."""
    known = {
        (name, query_id): (State(state), reason)
        for name, query_id, state, reason in Benchmark.objects.values_list(
            "model__name", "dataset_version__query_id", "state", "reason"
        )
    }
    refused = dict(Model.objects.filter(state=ModelState.INVALID).values_list("key", "reason"))
    versions = {tag.name: tag.versions for tag in tags}
    found = []
    for model in models:
        for version in versions[model.tag]:
            state, reason = known.get((model.name, version.query_id), (None, refused.get(model.key, "")))
            found.append(Standing(model=model.name, tag=model.tag, version=version.number, state=state, reason=reason))
    return found


def scores() -> list[Score]:
    """The primary metric of every benchmark that is done and has one, by tag and version."""
    metrics = Metric.objects.filter(primary=True, value__isnull=False, benchmark__state=State.DONE)
    rows = metrics.order_by(
        "benchmark__dataset_version__tag__name", "benchmark__dataset_version__number", "benchmark__model__name"
    )
    return [
        Score(tag=tag, version=version, model=model, metric=metric, value=value or 0.0, greater_is_better=greater)
        for tag, version, model, metric, value, greater in rows.values_list(
            "benchmark__dataset_version__tag__name",
            "benchmark__dataset_version__number",
            "benchmark__model__name",
            "name",
            "value",
            "greater_is_better",
        )
    ]
