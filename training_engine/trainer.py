"""From a configuration and a dataset's training split to a bundle. The same three and seed give the same model."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline

from atlas.bundle import pack
from atlas.datasets import NOT_FEATURES, DatasetDescription, Split, read_arrow
from atlas.ingestion import IngestionClient
from atlas.manifest import DataWindow, TrainingRecord
from atlas.vocabulary import ColumnSchema, Label, Task
from training_engine.config import Step, TrainingConfiguration
from training_engine.errors import TrainingError

REFERENCE_ROWS = 200
EXAMPLE_ROWS = 5
NUMBERS = ("int", "uint", "float", "double", "halffloat")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """The training split of a dataset version.

    Attributes:
        dataset: the version.
        rows: the feature columns of every event that has a target.
        target: (n,) labels or numbers, or (n, k) zeros and ones for k labels of a multilabel model.
        classes: the k labels of a multilabel model, else empty.
        window: from when to when the events were recorded, if they say.
    """

    dataset: DatasetDescription
    rows: pd.DataFrame
    target: np.ndarray
    classes: tuple[Label, ...]
    window: DataWindow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A bundle that was written, and what it was trained on."""

    path: Path
    dataset: DatasetDescription
    rows: int
    features: int
    seconds: float


def _now() -> datetime:
    return datetime.now(UTC)


def train(
    configuration: TrainingConfiguration,
    ingestion: IngestionClient,
    destination: Path,
    *,
    query_id: str | None = None,
    clock: Callable[[], datetime] = _now,
) -> TrainedModel:
    """Train a model and write its bundle.

    Args:
        configuration: what to train.
        ingestion: where the data come from.
        destination: the folder of the bundle.
        query_id: the dataset version to train on; the newest of the configuration's dataset if not given.
        clock: tells the time of training.

    Raises:
        IngestionError: the data cannot be fetched.
        TrainingError: the data do not fit the configuration, or the model cannot be fitted to them.
        BundleError, ModelError: the bundle cannot be written.
    """
    data = fetch(configuration, ingestion, query_id or newest_version(ingestion, configuration.dataset))
    date, started = clock(), time.perf_counter()
    pipeline, model = fit(configuration, data.rows, data.target)
    seconds = time.perf_counter() - started
    path = pack(
        model,
        destination,
        name=configuration.name,
        version=configuration.version,
        use_case=configuration.use_case,
        task=configuration.task,
        author=configuration.author,
        tags=configuration.benchmark_tags,
        metrics=configuration.metrics,
        primary_metric=configuration.primary_metric,
        example=data.rows.head(EXAMPLE_ROWS),
        target=configuration.target,
        pipeline=pipeline,
        format=configuration.format,
        classes=data.classes or None,
        reference=data.rows.sample(min(REFERENCE_ROWS, len(data.rows)), random_state=configuration.seed),
        training=TrainingRecord(
            query_id=data.dataset.query_id,
            digest=data.dataset.digest,
            rows=len(data.rows),
            date=date,
            duration_seconds=seconds,
        ),
        data_window=data.window,
        created=date,
    )
    return TrainedModel(
        path=path, dataset=data.dataset, rows=len(data.rows), features=data.rows.shape[1], seconds=seconds
    )


# The data -----------------------------------------------------------------------------------------------------------


def newest_version(ingestion: IngestionClient, tag: str) -> str:
    """The query id of a tag's newest version.

    Raises:
        TrainingError: it has none yet.
    """
    versions = ingestion.tag(tag).versions
    if not versions:
        raise TrainingError(f"The dataset {tag} has no version yet: no event matches its query.")
    return versions[-1].query_id


def fetch(configuration: TrainingConfiguration, ingestion: IngestionClient, query_id: str) -> TrainingData:
    """The training split of a dataset version.

    Raises:
        TrainingError: a column is missing, or there is nothing to learn from.
    """
    dataset = ingestion.dataset(query_id)
    features = feature_names(configuration, dataset)
    with tempfile.TemporaryDirectory(prefix="atlas-training-") as folder:
        path = Path(folder) / "training.arrow"
        ingestion.download(dataset, Split.TRAINING, path)
        table = read_arrow(path)
        table = table.filter(table[configuration.target].is_valid())
        if table.num_rows == 0:
            raise TrainingError(
                f"{_title(dataset)} has no training event with a {configuration.target}; it has {dataset.rows} in all."
            )
        target, classes = _target(table[configuration.target], configuration)
        rows = table.select(features).to_pandas()
        return TrainingData(dataset=dataset, rows=rows, target=target, classes=classes, window=_window(table))


def feature_names(configuration: TrainingConfiguration, dataset: DatasetDescription) -> list[str]:
    """The columns that the model learns from, in the order of the configuration, or else of the dataset.

    Raises:
        TrainingError: a column that the configuration names is missing, or no column is left.
    """
    offered = {column.name: column for column in dataset.columns}
    named = [configuration.target, *(configuration.features or ()), *configuration.exclude]
    absent = [name for name in named if name not in offered]
    if absent:
        raise TrainingError(f"{_title(dataset)} has no column {', '.join(absent)}; it has {', '.join(offered)}.")
    numbers = [column.name for column in dataset.columns if _is_number(column)]
    left_out = {configuration.target, *configuration.exclude, *NOT_FEATURES}
    chosen = configuration.features or [name for name in numbers if name not in left_out]
    if not chosen:
        raise TrainingError(f"{_title(dataset)} has no column of numbers to learn from; name some under features.")
    return list(chosen)


def _is_number(column: ColumnSchema) -> bool:
    return column.dtype.startswith(NUMBERS)


def _title(dataset: DatasetDescription) -> str:
    return f"Dataset {dataset.tag} version {dataset.number}"


def _target(column: pa.ChunkedArray, configuration: TrainingConfiguration) -> tuple[np.ndarray, tuple[Label, ...]]:
    if configuration.task is Task.MULTILABEL:
        return _indicators(column, configuration.target)
    if configuration.task is Task.REGRESSION:
        return _numbers(column, configuration.target), ()
    return np.array(column.to_pylist()), ()


def _indicators(column: pa.ChunkedArray, name: str) -> tuple[np.ndarray, tuple[Label, ...]]:
    if not pa.types.is_list(column.type):
        raise TrainingError(f"The target {name} must be a list of labels for a multilabel model.")
    sets = column.to_pylist()
    classes = sorted({label for labels in sets for label in labels})
    return np.array([[int(label in labels) for label in classes] for labels in sets]), tuple(classes)


def _numbers(column: pa.ChunkedArray, name: str) -> np.ndarray:
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise TrainingError(f"The target {name} must be a number for a regression: {error}") from error


def _window(table: pa.Table) -> DataWindow | None:
    if "time" not in table.column_names or table["time"].null_count == table.num_rows:
        return None
    ends = pc.min_max(table["time"]).as_py()
    return DataWindow(start=ends["min"], end=ends["max"])


# The model ----------------------------------------------------------------------------------------------------------


def fit(configuration: TrainingConfiguration, rows: pd.DataFrame, target: np.ndarray) -> tuple[Pipeline | None, Any]:
    """The fitted preprocessing, if there is any, and the fitted model.

    Args:
        configuration: what to train.
        rows: the feature columns.
        target: as `TrainingData` has it.

    Raises:
        TrainingError: a class refuses its parameters or the data; the message is the class' own.
    """
    try:
        pipeline = _preprocessing(configuration)
        features = rows if pipeline is None else pipeline.fit_transform(rows, target)
        model = _seeded(configuration.model.build(), configuration.seed)
        return pipeline, model.fit(features, target)
    except Exception as error:
        raise TrainingError(f"{configuration.name} could not be trained: {type(error).__name__}: {error}") from error


def _preprocessing(configuration: TrainingConfiguration) -> Pipeline | None:
    """Where a step is for some columns, all steps hand on data frames: later ones then find columns by name."""
    steps = configuration.pipeline
    if not steps:
        return None
    pipeline = make_pipeline(*(_transformer(step, configuration.seed) for step in steps))
    return pipeline.set_output(transform="pandas") if any(step.columns for step in steps) else pipeline


def _transformer(step: Step, seed: int) -> Any:
    transformer = _seeded(step.build(), seed)
    if step.columns is None:
        return transformer
    return make_column_transformer(
        (transformer, list(step.columns)), remainder="passthrough", verbose_feature_names_out=False
    )


def _seeded(estimator: Any, seed: int) -> Any:
    """The estimator, with the seed wherever it takes one and the configuration gives none."""
    parameters = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    unset = [key for key, value in parameters.items() if key.endswith("random_state") and value is None]
    return estimator.set_params(**dict.fromkeys(unset, seed)) if unset else estimator
