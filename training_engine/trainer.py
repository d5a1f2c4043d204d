"""From a configuration and a dataset's training split to a bundle. The same three and seed give the same model."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import JsonValue
from sklearn.pipeline import Pipeline

from atlas.bundle import pack
from atlas.datasets import NOT_FEATURES, DatasetDescription, Split, read_arrow
from atlas.errors import MissingPackageError
from atlas.ingestion import IngestionClient
from atlas.manifest import DataWindow, TrainingRecord
from atlas.vocabulary import ColumnSchema, Label, Task
from training_engine.building import build, with_parameters
from training_engine.config import ENCODED, TrainingConfiguration
from training_engine.errors import TrainingError
from training_engine.search import Sample, search
from training_engine.stages import Progress, Stage, silent

REFERENCE_ROWS = 1_000
FEWEST_REFERENCE_ROWS = 200
REFERENCE_BYTES = 8 << 20
"""Of rows that are large, as those with signals are, a bundle keeps fewer."""
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
        groups: (n,) what a search keeps together, if it keeps anything together.
    """

    dataset: DatasetDescription
    rows: pd.DataFrame
    target: np.ndarray
    classes: tuple[Label, ...]
    window: DataWindow | None
    groups: np.ndarray | None = None


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
    progress: Progress = silent,
) -> TrainedModel:
    """Train a model and write its bundle.

    Args:
        configuration: what to train.
        ingestion: where the data come from.
        destination: the folder of the bundle.
        query_id: the dataset version to train on; the newest of the configuration's dataset if not given.
        clock: tells the time of training.
        progress: is told what is being done.

    Raises:
        IngestionError: the data cannot be fetched.
        TrainingError: the data do not fit the configuration, or the model cannot be fitted to them.
        BundleError, ModelError: the bundle cannot be written.
    """
    data = fetch(configuration, ingestion, query_id or newest_version(ingestion, configuration.dataset), progress)
    date, started = clock(), time.perf_counter()
    target, classes = _encoded(configuration, data)
    sample = Sample(rows=data.rows, target=target, groups=data.groups)
    found = search(configuration, configuration.search, sample, progress) if configuration.search else None
    parameters = found.parameters if found else {}
    pipeline, model = fit(configuration, data.rows, target, parameters=parameters, progress=progress)
    seconds = time.perf_counter() - started
    progress(Stage.WRITING, 0, 0)
    record = TrainingRecord(
        query_id=data.dataset.query_id,
        digest=data.dataset.digest,
        rows=len(data.rows),
        date=date,
        duration_seconds=seconds,
        configuration=configuration.digest,
        search=found,
    )
    path = _packed(configuration, data, model, destination, pipeline=pipeline, classes=classes, training=record)
    return TrainedModel(
        path=path, dataset=data.dataset, rows=len(data.rows), features=data.rows.shape[1], seconds=seconds
    )


def _packed(
    configuration: TrainingConfiguration, data: TrainingData, model: Any, destination: Path, **fitted: Any
) -> Path:
    """The bundle's path; `fitted` are those arguments of `pack` that the training has found."""
    training: TrainingRecord = fitted["training"]
    classes = fitted.pop("classes") or None
    return pack(
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
        format=configuration.format,
        classes=classes,
        reference=reference_of(data, configuration),
        data_window=data.window,
        created=training.date,
        **fitted,
    )


def reference_of(data: TrainingData, configuration: TrainingConfiguration) -> pd.DataFrame:
    """A sample of the rows with their target: later data are compared with it, and explanations made against it."""
    sample = data.rows.sample(min(REFERENCE_ROWS, len(data.rows)), random_state=configuration.seed)
    sample = sample.assign(**{configuration.target: _labels(data.target[sample.index], data.classes)})
    row_bytes = pa.Table.from_pandas(sample, preserve_index=False).nbytes / len(sample)
    return sample.head(max(FEWEST_REFERENCE_ROWS, int(REFERENCE_BYTES / row_bytes)))


def _labels(target: np.ndarray, classes: tuple[Label, ...]) -> list[Any]:
    """The target as the dataset has it: a list of labels for each row of a multilabel model."""
    if not classes:
        return list(target)
    return [[label for label, holds in zip(classes, row, strict=True) if holds] for row in target]


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


def fetch(
    configuration: TrainingConfiguration, ingestion: IngestionClient, query_id: str, progress: Progress = silent
) -> TrainingData:
    """The training split of a dataset version.

    Raises:
        TrainingError: a column is missing, or there is nothing to learn from.
    """
    dataset = ingestion.dataset(query_id)
    features = feature_names(configuration, dataset)
    progress(Stage.DOWNLOADING, 0, dataset.splits[Split.TRAINING].size_bytes)
    with tempfile.TemporaryDirectory(prefix="atlas-training-") as folder:
        path = Path(folder) / "training.arrow"
        ingestion.download(dataset, Split.TRAINING, path, progress=partial(progress, Stage.DOWNLOADING))
        table = read_arrow(path)
        table = table.filter(table[configuration.target].is_valid())
        if table.num_rows == 0:
            raise TrainingError(
                f"{_title(dataset)} has no training event with a {configuration.target}; it has {dataset.rows} in all."
            )
        target, classes = _target(table[configuration.target], configuration)
        rows, groups = table.select(features).to_pandas(), _groups(table, configuration)
        window = _window(table)
        return TrainingData(dataset=dataset, rows=rows, target=target, classes=classes, window=window, groups=groups)


def _groups(table: pa.Table, configuration: TrainingConfiguration) -> np.ndarray | None:
    """The value of each row that a search keeps together; all rows without one are kept together too."""
    if configuration.search is None or configuration.search.groups is None:
        return None
    encoded = table[configuration.search.groups].combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False))


def feature_names(configuration: TrainingConfiguration, dataset: DatasetDescription) -> list[str]:
    """The columns that the model learns from, in the order of the configuration, or else of the dataset.

    Raises:
        TrainingError: a column that the configuration names is missing, or no column is left.
    """
    offered = {column.name: column for column in dataset.columns}
    groups = [configuration.search.groups] if configuration.search and configuration.search.groups else []
    named = [configuration.target, *(configuration.features or ()), *configuration.exclude, *groups]
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


def fit(
    configuration: TrainingConfiguration,
    rows: pd.DataFrame,
    target: np.ndarray,
    *,
    parameters: Mapping[str, JsonValue] = MappingProxyType({}),
    progress: Progress = silent,
) -> tuple[Pipeline | None, Any]:
    """The fitted preprocessing, if there is any, and the fitted model.

    Args:
        configuration: what to train.
        rows: the feature columns.
        target: as `TrainingData` has it; whole numbers from 0 for a library that wants them.
        parameters: what a search found, named as in its space.
        progress: is told what is being done.

    Raises:
        TrainingError: a class refuses its parameters or the data; the message is the class' own.
    """
    try:
        whole = build(configuration.pipeline, configuration.model, configuration.seed)
        whole = with_parameters(whole, configuration.pipeline, parameters, configuration.seed)
        pipeline, model, features = whole[:-1], whole[-1], rows
        if configuration.pipeline:
            progress(Stage.FEATURES, 0, 0)
            features = pipeline.fit_transform(rows, target)
        progress(Stage.FITTING, 0, 0)
        return pipeline if configuration.pipeline else None, model.fit(features, target)
    except MissingPackageError:
        raise
    except Exception as error:
        raise TrainingError(f"{configuration.name} could not be trained: {type(error).__name__}: {error}") from error


def _encoded(configuration: TrainingConfiguration, data: TrainingData) -> tuple[np.ndarray, tuple[Label, ...]]:
    """The target as the model's library takes it, and the classes where the model will not say them itself."""
    single = configuration.task in {Task.BINARY, Task.MULTICLASS}
    if not single or configuration.model.package not in ENCODED:
        return data.target, data.classes
    classes, places = np.unique(data.target, return_inverse=True)
    return places, tuple(classes.tolist())
