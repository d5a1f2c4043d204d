"""One benchmark, from two files to a result: load, predict, measure, explain. No Django, no database, no store.

The model's code runs in the sandbox and never sees the truth; what is measured here, is measured from raw numbers.
"""

import platform
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from atlas.assessment import Assessment, assess
from atlas.bundle import library_differences, library_versions
from atlas.formats import format_named
from atlas.intervals import class_metrics
from atlas.manifest import CustomMetric, Manifest
from atlas.metrics import Needs, Predictions, confusion, residuals
from atlas.results import BenchmarkResult, Costs, Explanation, MetricValue, Progress, Provenance
from atlas.states import FailureClass, Phase
from atlas.vocabulary import Task
from benchmark_engine.answers import Sealed, prediction_columns, take_file
from benchmark_engine.comparing import Compared, Comparison
from benchmark_engine.evaluation import EvaluationData
from benchmark_engine.explanations import Explaining
from benchmark_engine.failures import BenchmarkError, named_failures
from benchmark_engine.predicting import INTERRUPTED, Children, Predicting, Report, failed
from benchmark_engine.sandbox import launcher
from benchmark_engine.sandbox.launcher import Ending, Outcome, Sandbox
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.sandbox.protocol import (
    ANSWER,
    BUNDLE,
    FEATURES,
    LATENCY,
    REQUEST,
    SHARED,
    TRUTH,
    AnswerError,
    Latency,
    MeasureAnswer,
    MeasureRequest,
    PredictAnswer,
    Stage,
    TransformAnswer,
    TransformRequest,
    read_document,
    write_array,
    write_document,
)
from benchmark_engine.sandbox.workspace import Workspace

PREDICTED = "predictions.parquet"
"""The prediction of each event."""
ENGINE_LIBRARIES = ("numba", "pyarrow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One benchmark to run.

    Attributes:
        bundle: the folder of an unpacked bundle.
        bundle_bytes: the size of its file.
        manifest: what the bundle says of itself.
        data: the evaluation rows.
        limits: what the model may use.
        shared: what the bundle's pipeline made of all rows, if that is known.
        explained: what the explanation may take.
    """

    bundle: Path
    bundle_bytes: int
    manifest: Manifest
    data: EvaluationData
    limits: Limits
    shared: Path | None = None
    explained: ExplanationBudget = field(default_factory=ExplanationBudget)


def run(
    job: Job,
    sandbox: Sandbox,
    stop: threading.Event,
    *,
    report: Report = lambda _: None,
    folder: Path | None = None,
) -> BenchmarkResult:
    """Benchmark a model in a sandbox, until it is done or `stop` is set.

    Args:
        job: what to run.
        sandbox: where the model's code runs.
        stop: ends it early.
        report: is told how far it is.
        folder: where files are written that belong to the result: `PREDICTED`, and if there is an explanation,
            `VALUES` and `EVENTS`.

    Raises:
        BenchmarkError: there is no result; its failure says why.
    """
    with named_failures(), sandbox.workspace() as folders:
        return _Run(job, folders, sandbox, stop, report).result(folder)


def transform(job: Job, sandbox: Sandbox, stop: threading.Event, destination: Path) -> bool:
    """Have a bundle's pipeline make features of all rows, for all models that have it in common.

    Returns:
        Whether it could: if not, each model's child runs the pipeline itself, and says what is wrong with it.

    Raises:
        BenchmarkError: it was interrupted.
    """
    with sandbox.workspace() as folders:
        folders.give(BUNDLE, job.bundle)
        folders.give(FEATURES, job.data.features)
        write_document(TransformRequest(manifest=job.manifest), folders.inputs / REQUEST)
        outcome = sandbox.run(Stage.TRANSFORM, folders, limits=job.limits, stop=stop)
        if outcome.ending in INTERRUPTED:
            raise BenchmarkError(launcher.failure(outcome, job.limits))
        try:
            read_document(TransformAnswer, outcome.scratch / ANSWER)
            take_file(outcome.scratch / SHARED, destination)
        except (AnswerError, OSError):
            return False
        return outcome.ending is Ending.BY_ITSELF


class _Run:
    """The steps of one benchmark, over one workspace."""

    def __init__(self, job: Job, folders: Workspace, sandbox: Sandbox, stop: threading.Event, report: Report) -> None:
        self._job = job
        self._folders = folders
        self._report = report
        self._manifest = job.manifest
        self._truth = job.data.truth(job.manifest)
        self._children = Children(folders=folders, sandbox=sandbox, limits=job.limits, stop=stop)
        self._predicting = Predicting(
            self._children, job.manifest, self._truth.shape, job.explained, self._to_explain, report
        )
        for name, path in ((BUNDLE, job.bundle), (FEATURES, job.data.features), (SHARED, job.shared)):
            if path is not None:
                folders.give(name, path)

    def result(self, folder: Path | None) -> BenchmarkResult:
        outcome, sealed = self._predicting.predict()
        answer, predictions = sealed.answer, sealed.predictions
        self._report(Progress(phase=Phase.MEASURING))
        measured, measured_output = self._measure(sealed, outcome)
        if folder is not None:
            self._write_predictions(predictions, folder / PREDICTED)
        manifest, compared = self._manifest, self._compared(sealed, outcome)
        return BenchmarkResult(
            metrics=measured.metrics,
            class_metrics=class_metrics(self._truth, predictions),
            slice_metrics=measured.slice_metrics,
            confusion_matrix=confusion(self._truth, predictions) if _has_one_label(manifest.task) else None,
            residuals=residuals(self._truth, predictions.labels) if manifest.task is Task.REGRESSION else None,
            costs=self._costs(outcome, answer),
            hyperparameters=answer.hyperparameters,
            explanation=self._explanation(outcome, folder),
            drift=compared.drift,
            drift_unknown=compared.unknown,
            provenance=provenance(manifest.model.format, outcome.layers),
            warnings=library_differences(manifest),
            output=outcome.output + measured_output,
        )

    def _to_explain(self, predictions: Predictions) -> Explaining:
        return Explaining.of(self._manifest, self._job.data, self._truth, predictions, self._job.explained)

    def _write_predictions(self, predictions: Predictions, destination: Path) -> None:
        """One row an event: its id, truth and prediction, and probabilities and scores if there are any."""
        target = self._manifest.target
        columns = {"id": self._job.data.ids(target), "truth": self._job.data.column(target, target)}
        columns |= prediction_columns(predictions, self._manifest.classes)
        parquet.write_table(pa.table(columns), destination)

    def _measure(self, sealed: Sealed, outcome: Outcome) -> tuple[Assessment, str]:
        """The registry's metrics, measured here, and the author's own, measured in a second child."""
        manifest, data = self._manifest, self._job.data
        own = {custom.name: custom for custom in manifest.custom_metrics if custom.name in manifest.metrics}
        measured = assess(
            [name for name in manifest.metrics if name not in own],
            self._truth,
            sealed.predictions,
            data.columns(manifest.slices, manifest.target),
            predict_seconds=min(sealed.answer.predict_seconds, outcome.wall_seconds),
            primary=manifest.primary_metric,
        )
        if not own:
            return measured, ""
        own_values, output = self._measure_own(tuple(own.values()), sealed)
        values = {value.name: value for value in (*measured.metrics, *own_values)}
        return replace(measured, metrics=tuple(values[name] for name in manifest.metrics)), output

    def _measure_own(self, own: Sequence[CustomMetric], sealed: Sealed) -> tuple[tuple[MetricValue, ...], str]:
        for name, array in {**sealed.arrays, TRUTH: self._encoded_truth()}.items():
            write_array(array, self._folders.inputs / name)
        answer = sealed.answer
        asked = tuple(custom for custom in own if not _missing(custom, answer))
        outcome = self._children.run(
            Stage.MEASURE, MeasureRequest(manifest=self._manifest, metrics=asked, rows=len(self._truth))
        )
        if outcome.ending in INTERRUPTED:
            raise BenchmarkError(launcher.failure(outcome, self._job.limits))
        found = {value.name: value for value in self._measured(outcome)}
        return tuple(self._own_value(custom, found.get(custom.name), answer, outcome) for custom in own), outcome.output

    def _measured(self, outcome: Outcome) -> tuple[MetricValue, ...]:
        if not (outcome.scratch / ANSWER).exists():
            return ()
        try:
            return read_document(MeasureAnswer, outcome.scratch / ANSWER).metrics
        except AnswerError as error:
            raise failed(FailureClass.METRIC_ERROR, str(error), outcome) from error

    def _own_value(
        self, custom: CustomMetric, found: MetricValue | None, answer: PredictAnswer, outcome: Outcome
    ) -> MetricValue:
        reason = _missing(custom, answer) or launcher.failure(outcome, self._job.limits).reason
        value, reason = (found.value, found.reason) if found else (None, reason)
        return MetricValue(name=custom.name, value=value, greater_is_better=custom.greater_is_better, reason=reason)

    def _encoded_truth(self) -> np.ndarray:
        if self._manifest.task in {Task.REGRESSION, Task.MULTILABEL}:
            return self._truth
        places = {label: place for place, label in enumerate(self._manifest.classes)}
        unknown = [label for label in self._truth.tolist() if label not in places]
        if unknown:
            raise failed(
                FailureClass.METRIC_ERROR,
                f"The dataset has the label {unknown[0]!r}, which is not one of the model's classes.",
            )
        return np.array([places[label] for label in self._truth.tolist()], dtype=float)

    def _compared(self, sealed: Sealed, outcome: Outcome) -> Compared:
        """The rows beside those that the model was trained on, compared in one more child."""
        job, target = self._job, self._manifest.target
        comparison = Comparison(
            bundle=job.bundle,
            manifest=self._manifest,
            labels=job.data.column(target, target),
            predictions=sealed.predictions.labels,
            predicted=outcome.scratch,
        )
        return comparison.made(self._children)

    def _explanation(self, outcome: Outcome, folder: Path | None) -> Explanation:
        if not self._job.explained.rows:
            return Explanation(impossible="The engine is set to explain no events (ATLAS_EXPLAINED_ROWS).")
        return self._predicting.explanation(outcome, folder)

    def _costs(self, outcome: Outcome, answer: PredictAnswer) -> Costs:
        latency = _latency(outcome)
        return Costs(
            wall_seconds=outcome.wall_seconds,
            cpu_seconds=answer.cpu_seconds,
            load_seconds=answer.load_seconds,
            predict_seconds=answer.predict_seconds,
            peak_memory_bytes=answer.peak_memory_bytes,
            model_size_bytes=self._job.bundle_bytes,
            predictions=len(self._truth),
            latency_p50_seconds=latency.p50_seconds,
            latency_p95_seconds=latency.p95_seconds,
            latency_rows=latency.rows,
        )


def _latency(outcome: Outcome) -> Latency:
    """How long single rows took; nothing where that could not be measured."""
    try:
        return read_document(Latency, outcome.scratch / LATENCY)
    except AnswerError:
        return Latency()


def _has_one_label(task: Task) -> bool:
    return task in {Task.BINARY, Task.MULTICLASS}


def _missing(custom: CustomMetric, answer: PredictAnswer) -> str:
    """Why a metric cannot be asked for: the model does not give what it needs."""
    if custom.needs is Needs.PROBABILITIES and not answer.has_probabilities:
        return "It needs probabilities, and the model has no predict_proba."
    if custom.needs is Needs.SCORES and answer.scores_columns is None:
        return "It needs scores, and the model has no decision_function."
    return ""


def provenance(format_name: str, layers: Sequence[str]) -> Provenance:
    """This machine, the versions of what ran a model in that format, and the layers that contained it."""
    return Provenance(
        machine=f"{platform.node()}, {platform.system()} {platform.machine()}",
        python=platform.python_version(),
        atlas=metadata.version("atlas-benchmark"),
        libraries=library_versions((*ENGINE_LIBRARIES, *format_named(format_name).libraries)),
        sandbox=tuple(layers),
    )
