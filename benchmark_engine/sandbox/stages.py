"""The child's work: predict, explain, compute an author's own metrics, compare. Only the last runs no hostile code."""

import importlib
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from atlas.bundle import CODE, REFERENCE, load_model, load_part
from atlas.datasets import arrow_writer, write_arrow
from atlas.formats import Model
from atlas.manifest import CustomMetric, Manifest
from atlas.metrics import Needs, Predictions
from atlas.results import HyperparameterGroup, MetricValue, Progress
from atlas.states import FailureClass, Phase
from atlas.vocabulary import Task
from benchmark_engine.sandbox.comparing import compared
from benchmark_engine.sandbox.decoding import decoded
from benchmark_engine.sandbox.explaining import Keep, explained
from benchmark_engine.sandbox.failing import StageError, failing_as
from benchmark_engine.sandbox.prediction import in_parts, latency, latency_budget, predict_all
from benchmark_engine.sandbox.probes import tried
from benchmark_engine.sandbox.protocol import (
    ANSWER,
    BUNDLE,
    EXPLANATION,
    FEATURES,
    LABELS,
    LATENCY,
    PROBABILITIES,
    PROGRESS,
    REFERENCE_PREDICTED,
    REQUEST,
    SCORES,
    SENT,
    SHARED,
    TRUTH,
    ChildFailure,
    CompareRequest,
    DecodeRequest,
    Latency,
    MeasureAnswer,
    MeasureRequest,
    PredictAnswer,
    PredictRequest,
    ProbeAnswer,
    ReferencePredicted,
    Stage,
    TransformAnswer,
    TransformRequest,
    read_array,
    read_document,
    write_document,
)
from benchmark_engine.sandbox.reference import predict_reference, reference_budget
from benchmark_engine.sandbox.rows import SAMPLED, Rows, as_table
from benchmark_engine.sandbox.workspace import INPUTS
from explainability.explained import Findings
from explainability.explaining import explain
from explainability.hyperparameters import hyperparameters, with_the_author_s

HERE = Path()
"""Where a child starts: its scratch folder."""
GIVEN = Path("..") / INPUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A bundle's fitted objects."""

    model: Model
    pipeline: Any


def predict() -> None:
    """Predict all rows and write the answer; what comes then, such as the explanation, can never cost the metrics."""
    request = read_document(PredictRequest, GIVEN / REQUEST)
    try:
        with failing_as(FailureClass.CRASH, "The benchmark could not be run"):
            report(Progress(phase=Phase.LOADING))
            run = _Run(request)
            answer = run.answer()
    except StageError as error:
        traceback.print_exc()
        write_document(PredictAnswer(failure=_told(error)), HERE / ANSWER)
        return
    write_document(answer, HERE / ANSWER)
    write_document(run.latency(answer.predict_seconds), HERE / LATENCY)
    if run.has_reference:
        write_document(run.reference_predicted(answer.predict_seconds), HERE / REFERENCE_PREDICTED)
    if request.explained.rows:
        report(Progress(phase=Phase.EXPLAINING))
        write_document(explained(run.findings, GIVEN, HERE), HERE / EXPLANATION)


def report(progress: Progress) -> None:
    """Say how far the benchmark is."""
    write_document(progress, HERE / PROGRESS)


class _Run:
    """A loaded model and the rows that it predicts."""

    def __init__(self, request: PredictRequest) -> None:
        self._request = request
        self._manifest = request.manifest
        self._cpu_started = time.process_time()
        started = time.perf_counter()
        self._loaded = _load(self._manifest)
        self._load_seconds = time.perf_counter() - started
        self._raw = _raw_rows(self._manifest)
        self._is_transformed = (GIVEN / SHARED).is_symlink()
        self._rows = Rows(GIVEN / SHARED) if self._is_transformed else self._raw
        self._reference = GIVEN / BUNDLE / REFERENCE
        self.has_reference = self._reference.exists()

    def answer(self) -> PredictAnswer:
        """Predict all rows."""
        self._predicted(0)
        rows = self._rows
        written = predict_all(self._predict, rows, self._manifest, HERE, self._predicted)
        return PredictAnswer(
            scores_columns=written.scores_columns,
            has_probabilities=written.has_probabilities,
            load_seconds=self._load_seconds,
            predict_seconds=written.seconds,
            cpu_seconds=time.process_time() - self._cpu_started,
            peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            hyperparameters=_hyperparameters(self._loaded, self._manifest),
        )

    def latency(self, predict_seconds: float) -> Latency:
        """Predict some rows alone."""
        return latency(self._predict, self._rows, seconds=latency_budget(predict_seconds))

    def reference_predicted(self, predict_seconds: float) -> ReferencePredicted:
        """Predict what the model was trained on, or a sample of it."""
        seconds = reference_budget(predict_seconds)
        return predict_reference(self._predict_raw, self._reference, self._manifest, HERE, seconds=seconds)

    def _predicted(self, done: int) -> None:
        report(Progress(phase=Phase.PREDICTING, done=done, total=len(self._rows)))

    def _predict(self, part: Any) -> Predictions:
        return self._predict_features(part) if self._is_transformed else self._predict_raw(part)

    def _predict_raw(self, part: Any) -> Predictions:
        return self._predict_features(self._features(part))

    def _predict_features(self, features: Any) -> Predictions:
        return self._loaded.model.predict(features, self._request.needs)

    def _features(self, part: Any) -> Any:
        pipeline = self._loaded.pipeline
        if pipeline is None:
            return part
        with failing_as(FailureClass.PREDICTION_ERROR, "The pipeline failed"):
            return pipeline.transform(part)

    def findings(self, rows: tuple[int, ...], keep: Keep) -> Findings:
        """What explaining the model on these rows gives.

        Raises:
            ImpossibleError: it cannot be explained.
            Exception: whatever the model's own code raises.
        """
        manifest, has_reference = self._manifest, self.has_reference
        return explain(
            self._loaded.model,
            self._loaded.pipeline,
            self._raw.take(rows),
            background=_sampled(pd.read_parquet(self._reference)) if has_reference else self._raw.sample(SAMPLED),
            background_kind="reference" if has_reference else "data",
            task=manifest.task,
            classes=manifest.classes,
            target=manifest.target,
            seconds=self._request.explained.seconds,
            keep=keep,
        )


def _sampled(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sample(min(SAMPLED, len(rows)), random_state=0)


def _raw_rows(manifest: Manifest) -> Rows:
    return Rows(GIVEN / FEATURES, [column.name for column in manifest.input_schema])


def _load(manifest: Manifest) -> Loaded:
    _import_from_code()
    with failing_as(FailureClass.LOAD_ERROR, "The model could not be loaded"):
        return Loaded(model=load_model(GIVEN / BUNDLE, manifest), pipeline=_pipeline(manifest))


def _pipeline(manifest: Manifest) -> Any:
    return load_part(GIVEN / BUNDLE, manifest.pipeline) if manifest.pipeline else None


def _hyperparameters(loaded: Loaded, manifest: Manifest) -> tuple[HyperparameterGroup, ...]:
    """The pipeline's, under its name, then the model's."""
    of_pipeline = hyperparameters(loaded.pipeline) if loaded.pipeline is not None else ()
    under_name = (group.model_copy(update={"step": f"pipeline.{group.step}".rstrip(".")}) for group in of_pipeline)
    return *under_name, *with_the_author_s(hyperparameters(loaded.model.estimator), manifest.hyperparameters)


def _import_from_code() -> None:
    sys.path.insert(0, os.path.abspath(GIVEN / BUNDLE / CODE))  # noqa: PTH100 - `resolve` would follow the link


def transform() -> None:
    """Have the pipeline make features of all rows, for all models that have it in common."""
    request = read_document(TransformRequest, GIVEN / REQUEST)
    _import_from_code()
    pipeline, rows = _pipeline(request.manifest), _raw_rows(request.manifest)

    def transformed(part: Any) -> pa.Table:
        return as_table(pipeline.transform(part))

    with ExitStack() as stack:
        writer = None
        for _, table, _ in in_parts(transformed, rows, _columns):
            writer = writer or stack.enter_context(arrow_writer(HERE / SHARED, table.schema))
            writer.write_table(table)
    write_document(TransformAnswer(rows=len(rows)), HERE / ANSWER)


def _columns(table: pa.Table) -> list[np.ndarray]:
    return [column.to_numpy() for column in table.columns]


def measure() -> None:
    """Compute the author's own metrics; each that fails has a reason in place of a value."""
    request = read_document(MeasureRequest, GIVEN / REQUEST)
    _import_from_code()
    truth = decode(read_array(GIVEN / TRUTH, _labels_shape(request)), request.manifest)
    write_document(MeasureAnswer(metrics=tuple(_own(m, truth, request) for m in request.metrics)), HERE / ANSWER)


def _labels_shape(request: MeasureRequest) -> tuple[int, ...]:
    multilabel = request.manifest.task is Task.MULTILABEL
    return (request.rows, len(request.manifest.classes)) if multilabel else (request.rows,)


def decode(numbers: np.ndarray, manifest: Manifest) -> np.ndarray:
    """The inverse of `encode`: classes where the numbers are their positions."""
    if manifest.task in {Task.REGRESSION, Task.MULTILABEL}:
        return numbers
    decoded: np.ndarray = np.asarray(manifest.classes)[numbers.astype(int)]
    return decoded


def _own(metric: CustomMetric, truth: np.ndarray, request: MeasureRequest) -> MetricValue:
    try:
        value = float(_function(metric)(truth, _prediction(metric, request)))
        reason = "" if np.isfinite(value) else f"The function gave {value}."
    except Exception as error:  # noqa: BLE001 - process boundary: the author's code may raise anything
        traceback.print_exc()
        value, reason = np.nan, f"{metric.function} failed: {type(error).__name__}: {error}"[:1_000]
    return MetricValue(
        name=metric.name, value=None if reason else value, greater_is_better=metric.greater_is_better, reason=reason
    )


def _function(metric: CustomMetric) -> Callable[[np.ndarray, np.ndarray], float]:
    module, _, name = metric.function.partition(":")
    function: Callable[[np.ndarray, np.ndarray], float] = getattr(importlib.import_module(module), name)
    return function


def _prediction(metric: CustomMetric, request: MeasureRequest) -> np.ndarray:
    if metric.needs is Needs.LABELS:
        return decode(read_array(GIVEN / LABELS, _labels_shape(request)), request.manifest)
    if metric.needs is Needs.PROBABILITIES:
        return read_array(GIVEN / PROBABILITIES, (request.rows, len(request.manifest.classes)))
    size = (GIVEN / SCORES).stat().st_size // 8
    return read_array(GIVEN / SCORES, (request.rows,) if size == request.rows else (request.rows, size // request.rows))


def compare() -> None:
    """Compare the rows with the bundle's reference. No code of the model runs."""
    request = read_document(CompareRequest, GIVEN / REQUEST)
    write_document(compared(request.manifest, GIVEN), HERE / ANSWER)


def _told(error: StageError) -> ChildFailure:
    return ChildFailure(failure_class=error.failure_class, reason=str(error)[:4_000])


def decode_rows() -> None:
    """Make features of rows that a person sent."""
    request = read_document(DecodeRequest, GIVEN / REQUEST)
    answer = decoded(request, GIVEN / SENT, lambda table: write_arrow(table, HERE / FEATURES))
    write_document(answer, HERE / ANSWER)


def probe() -> None:
    """Try what no model may do."""
    write_document(ProbeAnswer(probes=tried()), HERE / ANSWER)


STAGES: Mapping[Stage, Callable[[], None]] = {
    Stage.PREDICT: predict,
    Stage.TRANSFORM: transform,
    Stage.MEASURE: measure,
    Stage.COMPARE: compare,
    Stage.DECODE: decode_rows,
    Stage.PROBE: probe,
}
