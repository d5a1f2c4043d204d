"""What the object store keeps of a benchmark, event by event: predictions, explanation, and rows of the dataset."""

from typing import Any

import pyarrow as pa
from pyarrow import parquet

from atlas.errors import AtlasError
from atlas.predictions import ID
from atlas.vocabulary import Task
from atlas_web import predicted
from atlas_web.objects import content
from explainability import explained
from storage.queries import Results

NO_PREDICTIONS = (
    "The benchmark has kept no predictions: there are newer ones, and the retention policy removed these. "
    "Run it again to have them back."
)


class NoEvidenceError(AtlasError):
    """Nothing of this kind was kept of the benchmark."""


def predictions(of: Results) -> predicted.Predicted:
    """What was predicted for each event.

    Raises:
        NoEvidenceError: no predictions were kept.
        PredictionsError: the file holds none.
        AtlasError: the object cannot be read, as `atlas_web.objects.content` says.
    """
    if not of.benchmark.predictions_key:
        raise NoEvidenceError(NO_PREDICTIONS)
    return predicted.read(content(of.benchmark.predictions_key), Task(of.benchmark.model.task))


def explained_events(of: Results) -> explained.Explained:
    """The explained events with their values.

    Raises:
        NoEvidenceError: no values were kept.
        ExplainedError: the file holds none.
        AtlasError: the object cannot be read, as `atlas_web.objects.content` says.
    """
    if of.explanation is None or not of.explanation.values_key:
        raise NoEvidenceError("The benchmark has kept no explained events.")
    return explained.read(content(of.explanation.values_key))


def dataset_row(of: Results, event: str) -> dict[str, Any] | None:
    """All columns of the dataset for one explained event, signals as lists; None if it is not among those kept.

    Raises:
        NoEvidenceError: no rows were kept.
        AtlasError: the object cannot be read, as `atlas_web.objects.content` says, or holds no such rows.
    """
    if of.explanation is None or not of.explanation.events_key:
        raise NoEvidenceError("The benchmark has kept no rows of its dataset.")
    return row_with_id(content(of.explanation.events_key), event)


def row_with_id(kept: bytes, event: str) -> dict[str, Any] | None:
    """All columns of one of the rows that were explained, from the content of their file; None if it is not there.

    Raises:
        NoEvidenceError: the file holds no such rows.
    """
    try:
        found = parquet.read_table(pa.BufferReader(kept), filters=[(ID, "==", event)])
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise NoEvidenceError(f"The file does not hold rows of a dataset: {error}") from error
    return dict(found.to_pylist()[0]) if found.num_rows else None
