"""The evaluation rows of a dataset version, as models of one kind need them: without their target, and the target."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from atlas.datasets import arrow_writer, read_arrow
from atlas.errors import DatasetError
from atlas.manifest import Manifest
from atlas.vocabulary import Task

EVENT_ID = "id"


@dataclass(frozen=True)
class EvaluationData:
    """Two files of the rows that have a target.

    Attributes:
        source: the Arrow file of all evaluation rows, with the target.
        features: the Arrow file that the model is given: its columns, of the rows that have a target.
    """

    source: Path
    features: Path

    def truth(self, manifest: Manifest) -> np.ndarray:
        """The target: (n,) labels or values, or (n, k) zeros and ones for the labels of a multilabel model.

        Raises:
            DatasetError: the column does not hold what the task needs.
        """
        return truth_of(self.column(manifest.target, manifest.target), manifest)

    def ids(self, target: str) -> pa.ChunkedArray:
        """The id of each event, or the number of its row where the dataset has no ids."""
        if EVENT_ID in self._table.column_names:
            return self.column(EVENT_ID, target)
        return pa.chunked_array([pa.array(range(len(self.column(target, target))))])

    def columns(self, names: Sequence[str], target: str) -> dict[str, pa.ChunkedArray]:
        """Those of the columns that the dataset has, by name."""
        return {name: self.column(name, target) for name in names if name in self._table.column_names}

    def column(self, name: str, target: str) -> pa.ChunkedArray:
        """One column, of the rows that have a target."""
        column, known = self._table[name], self._table[target].is_valid()
        return column.filter(known) if self._table[target].null_count else column

    def rows(self, numbers: np.ndarray, target: str) -> pa.Table:
        """Some of the rows that have a target, by their numbers among these, with all columns of the dataset."""
        known = np.flatnonzero(self._table[target].is_valid().to_numpy())
        return self._table.take(pa.array(known[numbers]))

    @cached_property
    def _table(self) -> pa.Table:
        return read_arrow(self.source)


def features_name(source: str, manifest: Manifest) -> str:
    """What tells the features file of a dataset's file apart from those of models with other columns or targets."""
    wanted = [manifest.target, *sorted(column.name for column in manifest.input_schema)]
    return hashlib.sha256("\0".join([source, *wanted]).encode()).hexdigest()


def write_features(source: Path, destination: Path, manifest: Manifest) -> None:
    """Write the columns that a model needs, of the rows that have a target; a batch at a time is in memory.

    Raises:
        DatasetError: a column is missing, or no row has a target.
    """
    table = read_arrow(source)
    wanted = {column.name for column in manifest.input_schema}
    absent = sorted((wanted | {manifest.target}) - set(table.column_names))
    if absent:
        raise DatasetError(f"The dataset has no column {', '.join(absent)}.")
    if table[manifest.target].null_count == table.num_rows:
        raise DatasetError(f"No evaluation row has a {manifest.target}.")
    names = [name for name in table.column_names if name in wanted]
    with arrow_writer(destination, table.select(names).schema) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch.filter(batch[manifest.target].is_valid()).select(names))


def truth_of(column: pa.ChunkedArray, manifest: Manifest) -> np.ndarray:
    """The target as an array: (n,) labels or values, or (n, k) zeros and ones for the labels of a multilabel model.

    Raises:
        DatasetError: the column does not hold what the task needs.
    """
    if manifest.task is Task.MULTILABEL:
        if not pa.types.is_list(column.type):
            raise DatasetError(f"The target {manifest.target} must be a list of labels for a multilabel model.")
        return np.array([[int(label in row) for label in manifest.classes] for row in column.to_pylist()])
    if manifest.task is Task.REGRESSION:
        try:
            return np.asarray(column.cast(pa.float64()).to_numpy())
        except pa.ArrowInvalid as error:
            raise DatasetError(f"The target {manifest.target} must be a number for a regression: {error}") from error
    return np.array(column.to_pylist())
