"""The cells of the matrix: what is known of some models on some dataset versions, and how good that is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, FilteredRelation, Q, Window
from django.db.models.functions import RowNumber

from atlas.ranking import UNKNOWN, Scale, Score, best_of, scale_of, tied
from atlas.states import CellState, ModelState, State
from storage.models import Benchmark, Metric, Model

WITH_RESULT = (State.DONE, State.QUEUED, State.RUNNING)
"""States in which a benchmark may have a result: one that is queued again keeps it until there is a new one."""
AGAIN = (State.QUEUED, State.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixColumn:
    """A dataset version."""

    version: int
    tag: str
    tag_key: int
    number: int
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """One model on one dataset version.

    Attributes:
        state: where it stands.
        benchmark: its key, if there is one.
        score: the metric, with its interval; without a value where there is none.
        greater_is_better: the metric's direction.
        earlier: the same on the nearest version before that is done.
        earlier_number: that version's number.
        step: how good the score is within the use case, 1 to `atlas.ranking.STEPS`; 0 without one.
        is_best: whether no model of the use case is better on this version.
        reason: why there is no result, or why the metric has no value.
        failure_class: an `atlas.states.FailureClass`, if it failed.
        progress: the share of rows that are predicted, while it runs and says so.
    """

    state: CellState
    benchmark: int | None = None
    score: Score = UNKNOWN
    greater_is_better: bool = True
    earlier: Score = UNKNOWN
    earlier_number: int | None = None
    step: int = 0
    is_best: bool = False
    reason: str = ""
    failure_class: str = ""
    progress: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One model. `replaced` says, if it is not empty, that its file is no longer what was benchmarked."""

    model: int
    name: str
    author: str
    use_case: str
    metric: str
    replaced: str
    cells: tuple[MatrixCell, ...]


_FIELDS = ("pk", "model", "dataset_version", "state", "reason", "failure_class", "phase_done", "phase_total")
_MEASURED = ("shown__value", "shown__low", "shown__high", "shown__greater_is_better", "shown__reason")

Pair = tuple[int, int]


class Cells:
    """The cells of some models on some versions, read at once."""

    def __init__(self, models: Sequence[Model], columns: tuple[MatrixColumn, ...], metric: str) -> None:
        """`metric` is each model's primary one if empty."""
        self.models = models
        self.columns = columns
        self.metric = metric
        self.versions = [column.version for column in columns]
        self.benchmarks = self._benchmarks()
        self.asked = set(Model.tags.through.objects.filter(model__in=models).values_list("model", "datasettag"))
        self.before = self._before()
        self.scales, self.best = self._compared()

    def rows(self) -> tuple[tuple[MatrixRow, ...], dict[tuple[str, str], Scale]]:
        """A row for each model, and the scales of their use cases."""
        return tuple(map(self._row, self.models)), self.scales

    def _row(self, model: Model) -> MatrixRow:
        return MatrixRow(
            model=model.pk,
            name=model.name,
            author=model.author.name if model.author else "",
            use_case=model.use_case,
            metric=self._metric_of(model),
            replaced=model.reason,
            cells=tuple(self._cells(model)),
        )

    def _metric_of(self, model: Model) -> str:
        return self.metric or model.primary_metric

    def _cells(self, model: Model) -> Iterable[MatrixCell]:
        earlier: dict[int, tuple[int, Score]] = {}
        for column in self.columns:
            if column.tag_key not in earlier and (model.pk, column.tag_key) in self.before:
                earlier[column.tag_key] = self.before[model.pk, column.tag_key]
            found = self.benchmarks.get((model.pk, column.version))
            if found is None:
                asked = (model.pk, column.tag_key) in self.asked
                yield MatrixCell(state=CellState.MISSING if asked else CellState.UNASKED)
                continue
            yield self._cell(model, column, found, earlier.get(column.tag_key))
            if found["state"] == State.DONE and _score(found).is_ranked:
                earlier[column.tag_key] = (column.number, _score(found))

    def _cell(
        self, model: Model, column: MatrixColumn, found: dict[str, Any], before: tuple[int, Score] | None
    ) -> MatrixCell:
        score = _score(found) if found["state"] in WITH_RESULT else UNKNOWN
        stale = score.value is not None and (model.reason != "" or found["state"] in AGAIN)
        group = (model.use_case, self._metric_of(model))
        best = self.best.get((*group, column.version))
        scale = self.scales.get(group)
        return MatrixCell(
            state=CellState.STALE if stale else CellState(found["state"]),
            benchmark=found["pk"],
            score=score,
            greater_is_better=found["shown__greater_is_better"] is not False,
            earlier=before[1] if before else UNKNOWN,
            earlier_number=before[0] if before else None,
            step=scale.step(score.value) if scale and score.value is not None and score.is_ranked else 0,
            is_best=best is not None and score.value is not None and score.is_ranked and tied(score.value, best),
            reason=self._reason(model, found),
            failure_class=found["failure_class"],
            progress=found["phase_done"] / found["phase_total"] if found["phase_total"] else None,
        )

    def _reason(self, model: Model, found: dict[str, Any]) -> str:
        if found["state"] != State.DONE or found["shown__value"] is not None:
            return str(found["reason"])
        if found["shown__greater_is_better"] is None:
            return f"The model is not measured by {self._metric_of(model)}."
        return str(found["shown__reason"])

    def _benchmarks(self) -> dict[Pair, dict[str, Any]]:
        """The latest benchmark of each model on each version, with the metric that is shown."""
        found = (
            Benchmark.objects.filter(model__in=self.models, dataset_version__in=self.versions)
            .annotate(shown=FilteredRelation("metrics", condition=self._measure("metrics__")))
            .order_by("pk")
            .values(*_FIELDS, *_MEASURED)
        )
        return {(row["model"], row["dataset_version"]): row for row in found}

    def _measure(self, prefix: str = "") -> Q:
        """The condition for the metric that is shown."""
        return Q(**{f"{prefix}name": self.metric}) if self.metric else Q(**{f"{prefix}primary": True})

    def _before(self) -> dict[Pair, tuple[int, Score]]:
        """For each model and tag, the nearest score before the first version shown, and its version's number."""
        on = "benchmark__dataset_version"
        earlier = Q(pk__in=())
        for tag, number in self._first_numbers().items():
            earlier |= Q(**{f"{on}__tag": tag, f"{on}__number__lt": number})
        found = Metric.objects.filter(
            self._measure(), earlier, benchmark__model__in=self.models, benchmark__state=State.DONE, value__isnull=False
        )
        place = Window(
            RowNumber(),
            partition_by=[F("benchmark__model"), F(f"{on}__tag")],
            order_by=[F(f"{on}__number").desc(), F("benchmark").desc()],
        )
        nearest = found.annotate(place=place).filter(place=1).order_by()
        fields = ("benchmark__model", f"{on}__tag", f"{on}__number", "value", "low", "high")
        return {
            (model, tag): (number, Score(value, low, high))
            for model, tag, number, value, low, high in nearest.values_list(*fields)
        }

    def _first_numbers(self) -> dict[int, int]:
        """The number of the first version that is shown of each tag."""
        return {column.tag_key: column.number for column in reversed(self.columns)}

    def _compared(self) -> tuple[dict[tuple[str, str], Scale], dict[tuple[str, str, int], float]]:
        """The scale of each use case and metric, and the best score on each version, of all models of the use cases."""
        values: dict[tuple[str, str, int], list[float]] = defaultdict(list)
        greater: dict[tuple[str, str], bool] = {}
        for use_case, name, version, value, direction in self._by_metric() if self.metric else self._by_score():
            values[use_case, name, version].append(value)
            greater[use_case, name] = direction
        return _scales(values, greater), _best(values, greater)

    def _by_metric(self) -> Iterable[tuple[str, str, int, float, bool]]:
        """Use case, metric, version, value and direction of each value of the metric that was asked for."""
        found = Metric.objects.filter(
            name=self.metric,
            value__isnull=False,
            benchmark__state__in=WITH_RESULT,
            benchmark__dataset_version__in=self.versions,
            benchmark__model__state=ModelState.READY,
            benchmark__model__use_case__in={model.use_case for model in self.models},
        ).order_by()
        fields = ("benchmark__model__use_case", "name", "benchmark__dataset_version", "value", "greater_is_better")
        return found.values_list(*fields)

    def _by_score(self) -> Iterable[tuple[str, str, int, float, bool]]:
        """The same of each model's primary metric, which benchmarks have in their own rows."""
        found = Benchmark.objects.filter(
            score__isnull=False,
            state__in=WITH_RESULT,
            dataset_version__in=self.versions,
            model__state=ModelState.READY,
            model__use_case__in={model.use_case for model in self.models},
        ).order_by()
        fields = ("model__use_case", "model__primary_metric", "dataset_version", "score", "greater_is_better")
        return found.values_list(*fields)


def _scales(
    values: dict[tuple[str, str, int], list[float]], greater: dict[tuple[str, str], bool]
) -> dict[tuple[str, str], Scale]:
    grouped: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (use_case, name, _), known in values.items():
        grouped[use_case, name].extend(known)
    found = {group: scale_of(known, greater_is_better=greater[group]) for group, known in grouped.items()}
    return {group: scale for group, scale in found.items() if scale}


def _best(
    values: dict[tuple[str, str, int], list[float]], greater: dict[tuple[str, str], bool]
) -> dict[tuple[str, str, int], float]:
    found = {
        (use_case, name, version): best_of(known, greater_is_better=greater[use_case, name])
        for (use_case, name, version), known in values.items()
    }
    return {key: best for key, best in found.items() if best is not None}


def _score(found: dict[str, Any]) -> Score:
    return Score(found["shown__value"], found["shown__low"], found["shown__high"])
