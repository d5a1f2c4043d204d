"""Benchmarks, one by one and beside each other, as the API tells of them."""

from datetime import datetime

from pydantic import RootModel

from atlas.api._common import Answer
from atlas.api._models import ModelReference, Score, VersionReference
from atlas.changes import MetricChange
from atlas.drift import ColumnDrift, TableDrift
from atlas.results import (
    ClassMetrics,
    ConfusionMatrix,
    HyperparameterGroup,
    Importance,
    MetricValue,
    Provenance,
    Residuals,
    SliceMetrics,
)
from atlas.states import FailureClass, Phase, State


class BenchmarkSummary(Answer):
    """One model on one dataset version, as lists show it.

    Attributes:
        id: its key.
        state: where it stands.
        reason: why it failed, cannot run or was cancelled.
        phase: what it is doing while it runs; `phase_done` of `phase_total` rows are predicted.
        attempts: how often it was tried in vain.
        score: the primary metric, once it is done.
        greater_is_better: whether more of it is better; None until it is done.
        earlier: the primary metric on the nearest version before that is done.
        evaluation_rows: how many rows it is measured on.
        wall_seconds: how long it ran.
    """

    id: int
    model: ModelReference
    use_case: str
    author: str
    dataset: VersionReference
    state: State
    reason: str
    failure_class: FailureClass | None
    phase: Phase | None
    phase_done: int
    phase_total: int
    attempts: int
    queued: datetime
    started: datetime | None
    finished: datetime | None
    score: Score | None
    greater_is_better: bool | None
    earlier: Score | None
    evaluation_rows: int
    wall_seconds: float | None


class MeasuredCosts(Answer):
    """What a benchmark needed; times without the start of the process. None where nothing was measured.

    `latency_p50_seconds` and `latency_p95_seconds` are of one row at a time, over `latency_rows` of them.
    """

    wall_seconds: float
    cpu_seconds: float | None
    load_seconds: float | None
    predict_seconds: float | None
    peak_memory_bytes: int | None
    model_size_bytes: int
    predictions: int | None
    rows_per_second: float | None
    latency_p50_seconds: float | None
    latency_p95_seconds: float | None
    latency_rows: int


class ExplanationSummary(Answer):
    """Whether the model's predictions are explained: how, or why not.

    `importances` are of the features that move the output most, the most important first, `features` is how many there
    are in all, and `rows` over how many events the means are.
    """

    available: bool
    impossible: str
    method: str
    output: str
    outputs: tuple[str, ...]
    rows: int
    seconds: float
    features: int
    importances: tuple[Importance, ...]
    has_values: bool


class StandingSummary(Answer):
    """The place of a benchmark among those of its use case on its dataset version, `of` how many; equals share one."""

    place: int
    of: int


class MetricChanges(RootModel[tuple[MetricChange, ...]]):
    """Each metric of a result beside those on earlier versions, the primary one first."""


class BenchmarkDrift(TableDrift):
    """How far the data of a benchmark lie from what its model was trained on.

    `predictions_since` is how far the model's predictions have moved from those on the version before.
    """

    predictions_since: ColumnDrift | None


class BenchmarkDetail(BenchmarkSummary):
    """A benchmark with all that is known of it; results are empty or None until it is done.

    Attributes:
        metrics: with their intervals, the primary one first.
        class_metrics: precision, recall and F1 of each class.
        slice_metrics: metrics of the events that have one value in one column.
        confusion_matrix: of a classification.
        residuals: of a regression, for a sample of the events.
        costs: time, memory and latency.
        hyperparameters: step by step.
        explanation: a summary; the whole is under `benchmarks/{id}/explanation`.
        provenance: machine and versions.
        warnings: what may make the result another than the author's.
        output: what the model printed.
        engine: which engine ran it.
        standing: its place among its rivals.
        has_predictions: whether `benchmarks/{id}/predictions` has the prediction of each event.
        can_cancel: whether it waits or runs.
        can_run_again: whether it has ended.
    """

    metrics: tuple[MetricValue, ...]
    class_metrics: tuple[ClassMetrics, ...]
    slice_metrics: tuple[SliceMetrics, ...]
    confusion_matrix: ConfusionMatrix | None
    residuals: Residuals | None
    costs: MeasuredCosts | None
    hyperparameters: tuple[HyperparameterGroup, ...]
    explanation: ExplanationSummary | None
    provenance: Provenance | None
    warnings: tuple[str, ...]
    output: str
    engine: str
    standing: StandingSummary | None
    has_predictions: bool
    can_cancel: bool
    can_run_again: bool
