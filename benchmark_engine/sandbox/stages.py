"""The child's work: predict, explain, and compute an author's own metrics. All of it may run hostile code."""

import importlib
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from atlas.bundle import CODE, REFERENCE, load_model, load_part
from atlas.datasets import read_arrow
from atlas.errors import AtlasError, MissingPackageError
from atlas.formats import Model, requirement
from atlas.manifest import CustomMetric, Manifest
from atlas.metrics import Needs
from atlas.results import Explanation, HyperparameterGroup, MetricValue
from atlas.states import FailureClass
from atlas.vocabulary import Task
from benchmark_engine.sandbox.probes import tried
from benchmark_engine.sandbox.protocol import (
    ANSWER,
    BUNDLE,
    EXPLANATION,
    FEATURES,
    LABELS,
    PROBABILITIES,
    REQUEST,
    SCORES,
    TRUTH,
    ChildFailure,
    MeasureAnswer,
    MeasureRequest,
    PredictAnswer,
    PredictRequest,
    ProbeAnswer,
    Stage,
    read_array,
    read_document,
    write_array,
    write_document,
)
from benchmark_engine.sandbox.workspace import INPUTS
from explainability.hyperparameters import hyperparameters
from explainability.shap_values import explain

HERE = Path()
"""Where a child starts: its scratch folder."""
GIVEN = Path("..") / INPUTS


class StageError(AtlasError):
    """A stage could not be done; carries the failure class."""

    def __init__(self, failure_class: FailureClass, reason: str) -> None:
        super().__init__(reason)
        self.failure_class = failure_class


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A bundle's fitted objects."""

    model: Model
    pipeline: Any


def predict() -> None:
    """Predict all rows and write the answer; then explain, so that an explanation can never cost the metrics."""
    request = read_document(PredictRequest, GIVEN / REQUEST)
    try:
        with failing_as(FailureClass.CRASH, "The benchmark could not be run"):
            loaded, features, answer = _predicted(request.manifest)
    except StageError as error:
        traceback.print_exc()
        write_document(PredictAnswer(failure=_told(error)), HERE / ANSWER)
        return
    write_document(answer, HERE / ANSWER)
    write_document(_explained(request, loaded, features), HERE / EXPLANATION)


def _predicted(manifest: Manifest) -> tuple[Loaded, Any, PredictAnswer]:
    cpu_started = time.process_time()
    started = time.perf_counter()
    loaded = _load(manifest)
    loaded_at = time.perf_counter()
    features, scores, has_probabilities = _write_predictions(manifest, loaded)
    answer = PredictAnswer(
        scores_columns=scores,
        has_probabilities=has_probabilities,
        load_seconds=loaded_at - started,
        predict_seconds=time.perf_counter() - loaded_at,
        cpu_seconds=time.process_time() - cpu_started,
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        hyperparameters=_hyperparameters(loaded),
    )
    return loaded, features, answer


def _load(manifest: Manifest) -> Loaded:
    _import_from_code()
    bundle = GIVEN / BUNDLE
    with failing_as(FailureClass.LOAD_ERROR, "The model could not be loaded"):
        pipeline = load_part(bundle, manifest.pipeline) if manifest.pipeline else None
        return Loaded(model=load_model(bundle, manifest), pipeline=pipeline)


def _hyperparameters(loaded: Loaded) -> tuple[HyperparameterGroup, ...]:
    """The pipeline's, under its name, then the model's."""
    of_pipeline = hyperparameters(loaded.pipeline) if loaded.pipeline is not None else ()
    under_name = (group.model_copy(update={"step": f"pipeline.{group.step}".rstrip(".")}) for group in of_pipeline)
    return *under_name, *hyperparameters(loaded.model.estimator)


def _import_from_code() -> None:
    sys.path.insert(0, str((GIVEN / BUNDLE / CODE).resolve()))


def _write_predictions(manifest: Manifest, loaded: Loaded) -> tuple[Any, int | None, bool]:
    raw = read_arrow(GIVEN / FEATURES).to_pandas()
    rows = len(raw)  # now: the model gets the table itself, and may change it
    with failing_as(FailureClass.PREDICTION_ERROR, "The pipeline failed"):
        features = loaded.pipeline.transform(raw) if loaded.pipeline is not None else raw
    with failing_as(FailureClass.PREDICTION_ERROR, "The model failed to predict"):
        found = loaded.model.predict(features, manifest.needs)
    write_array(encode(found.labels, manifest, rows=rows), HERE / LABELS)
    scores = found.scores
    if scores is not None:
        write_array(scores, HERE / SCORES)
    if found.probabilities is not None:
        write_array(_of_every_class(found.probabilities, manifest, rows=rows), HERE / PROBABILITIES)
    columns = None if scores is None else (0 if scores.ndim == 1 else scores.shape[1])
    return features, columns, found.probabilities is not None


def encode(labels: np.ndarray, manifest: Manifest, *, rows: int) -> np.ndarray:
    """Predictions as numbers: values of a regression, 0 and 1 of each label, or positions in the manifest's classes.

    Raises:
        StageError: there is not one prediction a row, or one that is not a class of the manifest.
    """
    if manifest.task is Task.MULTILABEL:
        wanted: tuple[int, ...] = (rows, len(manifest.classes))
    else:
        labels = labels.reshape(len(labels), -1)[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        wanted = (rows,)
    if labels.shape != wanted:
        raise StageError(FailureClass.PREDICTION_ERROR, f"predict gave an array of shape {labels.shape}, not {wanted}.")
    if manifest.task in {Task.REGRESSION, Task.MULTILABEL}:
        return labels.astype("f8")
    return _positions(labels, manifest)


def _positions(labels: np.ndarray, manifest: Manifest) -> np.ndarray:
    places = {label: place for place, label in enumerate(manifest.classes)}
    values, inverse = np.unique(labels, return_inverse=True)
    strange = [value for value in values.tolist() if value not in places]
    if strange:
        raise StageError(
            FailureClass.PREDICTION_ERROR,
            f"predict gave {strange[0]!r}, which is not one of the manifest's classes {list(manifest.classes)}.",
        )
    return np.array([places[value] for value in values.tolist()], dtype="f8")[inverse]


def _of_every_class(probabilities: np.ndarray, manifest: Manifest, *, rows: int) -> np.ndarray:
    wanted = (rows, len(manifest.classes))
    if probabilities.shape != wanted:
        raise StageError(
            FailureClass.PREDICTION_ERROR,
            f"The model gave probabilities of shape {probabilities.shape}, not {wanted}.",
        )
    return probabilities


def _explained(request: PredictRequest, loaded: Loaded, features: Any) -> Explanation:
    """The explanation, or why there is none: a fault in it is a reason, never a failed benchmark."""
    try:
        return explain(
            loaded.model.estimator,
            features,
            background=_background(loaded, features),
            task=request.manifest.task,
            classes=request.manifest.classes,
            feature_names=_names(loaded, features),
            max_rows=request.explained_rows,
        )
    except Exception as error:  # noqa: BLE001 - process boundary: the model's code may raise anything
        traceback.print_exc()
        return Explanation(impossible=f"The explanation failed: {type(error).__name__}: {error}"[:1_000])


def _background(loaded: Loaded, features: Any) -> Any:
    """The sample of the training data that the bundle carries, as the model's features; else the data themselves."""
    path = GIVEN / BUNDLE / REFERENCE
    if not path.exists():
        return features
    reference = pd.read_parquet(path)
    return loaded.pipeline.transform(reference) if loaded.pipeline is not None else reference


def _names(loaded: Loaded, features: Any) -> list[str]:
    if isinstance(features, pd.DataFrame):
        return [str(name) for name in features.columns]
    try:
        return [str(name) for name in loaded.pipeline.get_feature_names_out()]
    except (AttributeError, ValueError):
        return [f"feature {number}" for number in range(features.shape[1])]


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


@contextmanager
def failing_as(failure_class: FailureClass, what: str) -> Iterator[None]:
    """Turn whatever the model's code raises into a failure of one class, with the message kept."""
    try:
        yield
    except StageError:
        raise
    except MemoryError as error:
        raise StageError(FailureClass.OUT_OF_MEMORY, f"{what}: it needs more memory than is allowed.") from error
    except MissingPackageError as error:
        raise StageError(FailureClass.MISSING_PACKAGE, f"{what}: {error}") from error
    except ModuleNotFoundError as error:
        install = f"pip install '{requirement(str(error.name).partition('.')[0])}'"
        reason = f"{what}: the package {error.name!r} is not installed where the engine runs: {install}"
        raise StageError(FailureClass.MISSING_PACKAGE, reason) from error
    except Exception as error:  # process boundary: the model's code may raise anything
        raise StageError(failure_class, f"{what}: {type(error).__name__}: {error}") from error


def _told(error: StageError) -> ChildFailure:
    return ChildFailure(failure_class=error.failure_class, reason=str(error)[:4_000])


def probe() -> None:
    """Try what no model may do."""
    write_document(ProbeAnswer(probes=tried()), HERE / ANSWER)


STAGES: Mapping[Stage, Callable[[], None]] = {Stage.PREDICT: predict, Stage.MEASURE: measure, Stage.PROBE: probe}
