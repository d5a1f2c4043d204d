"""Models on live data: what they run on, and what is known of each version there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from atlas.inference import Inferred, Live
from atlas.states import State
from atlas.watching import InferenceKind
from storage.models import DatasetTag, Inference, LiveWatch

LIVE_WINDOW = 30
"""So many of the newest versions are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A tag of live data that a model runs on, or ran on.

    Attributes:
        tag: its name.
        since: when somebody began to watch; None of one that is watched no longer.
        by: who that was.
        problem: why the ingestion engine gives no versions of it.
    """

    tag: str
    since: datetime | None = None
    by: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """A model on one version of live data.

    Attributes:
        number, created: of the version.
        state: of the predictions.
        reason: why there are none.
        finished: when they were made.
        rows: how many were predicted.
        live: what is said of them; None before they are made.
    """

    number: int
    created: datetime
    state: State
    reason: str
    finished: datetime | None
    rows: int | None
    live: Live | None


def watched_by(model: int) -> list[Watched]:
    """The tags that a model is watched on by name, then those that it was watched on."""
    watches = LiveWatch.objects.filter(model=model).select_related("tag").order_by("tag__name")
    now = [Watched(tag=each.tag.name, since=each.since, by=each.by, problem=each.tag.problem) for each in watches]
    runs = Inference.objects.filter(model=model, kind=InferenceKind.LIVE)
    past = DatasetTag.objects.filter(pk__in=runs.values("dataset_version__tag")).exclude(live_watches__model=model)
    return now + [Watched(tag=name) for name in past.order_by("name").values_list("name", flat=True)]


def live_runs(model: int, tag: str) -> Sequence[LiveRun]:
    """A model on the newest versions of a tag, the oldest first; at most `LIVE_WINDOW` of them."""
    found = Inference.objects.filter(model=model, kind=InferenceKind.LIVE, dataset_version__tag__name=tag)
    version = ("dataset_version__number", "dataset_version__created")
    newest = found.order_by("-dataset_version__number").values_list(
        *version, "state", "reason", "finished", "rows", "document"
    )
    return [
        LiveRun(
            number=number,
            created=created,
            state=State(state),
            reason=reason,
            finished=finished,
            rows=rows,
            live=Inferred.model_validate(document).live if document else None,
        )
        for number, created, state, reason, finished, rows, document in reversed(newest[:LIVE_WINDOW])
    ]
