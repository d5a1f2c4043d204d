"""Models and benchmarks beside each other, as the API tells of them: leaderboard, matrix, comparison."""

from datetime import datetime

from pydantic import Field

from atlas.api._benchmarks import BenchmarkSummary
from atlas.api._common import Answer
from atlas.api._models import ModelReference, Score, VersionNumber
from atlas.states import CellState, FailureClass, State


class LeaderboardRow(Answer):
    """A model's place: models of one value share a `rank` and are `tied`.

    `within_noise` says that its 95 % interval and that of the best overlap; None where an interval is not known.
    `stale` says that the result is from before the model's file was replaced, or that it is queued again.
    `earlier_rank` is its rank on the version before.
    """

    rank: int = Field(ge=1)
    tied: bool
    within_noise: bool | None
    model: ModelReference
    author: str
    benchmark: int
    value: float
    low: float | None
    high: float | None
    stale: bool
    earlier_rank: int | None
    latency_p50_seconds: float | None
    peak_memory_bytes: int | None
    model_size_bytes: int


class UnrankedModel(Answer):
    """A model that has no place, and why."""

    model: ModelReference
    benchmark: int
    state: State
    reason: str


class Leaderboard(Answer):
    """The models of a use case on one dataset version by one metric, the best first.

    `rows` are a part of `total` models that are ranked, `unranked` the first of `unranked_total` others.
    """

    use_case: str
    dataset: VersionNumber
    metric: str
    greater_is_better: bool
    rows: tuple[LeaderboardRow, ...]
    total: int
    unranked: tuple[UnrankedModel, ...]
    unranked_total: int


class MatrixColumn(VersionNumber):
    """A dataset version of the matrix."""

    created: datetime


class Cell(Answer):
    """Where one model stands on one dataset version, with its metric if it has a result.

    `earlier` is the metric on the nearest version before, `progress` the share of rows that are predicted.
    """

    state: CellState
    benchmark: int | None
    reason: str
    failure_class: FailureClass | None
    score: Score | None
    earlier: Score | None
    is_best: bool
    progress: float | None


class MatrixRow(Answer):
    """A model of the matrix, the metric that it is shown by, and a cell for each column."""

    model: ModelReference
    author: str
    use_case: str
    metric: str
    cells: tuple[Cell, ...]


class Matrix(Answer):
    """Models by dataset versions. `rows` are a part of `total` models, `columns` of `columns_total` versions."""

    columns: tuple[MatrixColumn, ...]
    rows: tuple[MatrixRow, ...]
    total: int
    columns_total: int


class ComparedMetric(Answer):
    """A metric of each of the benchmarks that are compared, in their order; None where one has no value."""

    name: str
    greater_is_better: bool
    values: tuple[Score | None, ...]


class ComparedHyperparameter(Answer):
    """A hyperparameter of each of the benchmarks, in their order; None where one has none of this name.

    `differs` says whether it may tell them apart: a default that no two models have differently does not.
    """

    step: str
    name: str
    values: tuple[str | None, ...]
    differs: bool


class PairedTest(Answer):
    """What tells one benchmark from the reference: `first` is the reference's key, `second` the other's.

    `test` says whether they are paired, event by event, or only their intervals compared; `difference` is the second's
    value minus the first's, with the ends of its 95 % interval. `p_value` is corrected by Holm's method.
    """

    test: str
    metric: str
    first: int
    second: int
    events: int
    difference: float
    low: float | None
    high: float | None
    p_value: float | None


class Comparison(Answer):
    """Some benchmarks beside each other, and what the evidence supports, in sentences."""

    benchmarks: tuple[BenchmarkSummary, ...]
    metrics: tuple[ComparedMetric, ...]
    hyperparameters: tuple[ComparedHyperparameter, ...]
    tests: tuple[PairedTest, ...]
    verdict: tuple[str, ...]
