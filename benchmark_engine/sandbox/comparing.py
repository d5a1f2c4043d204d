"""The child's comparison of the evaluation rows with what the model was trained on. It runs no code of the model."""

from pathlib import Path

import pyarrow as pa

from atlas.bundle import REFERENCE
from atlas.datasets import read_arrow
from atlas.drift import TableDrift
from atlas.manifest import Manifest
from atlas.vocabulary import Task
from benchmark_engine.sandbox.protocol import (
    BUNDLE,
    FEATURES,
    LABEL,
    OUTCOMES,
    PREDICTION,
    REFERENCE_OUTCOMES,
    CompareAnswer,
)
from benchmark_engine.sandbox.reference import sampled, sampled_reference
from monitoring.documents import table_drift
from monitoring.history import between
from monitoring.tables import TableReference, scalars_of

MOST_ROWS = 20_000
MOST_CELLS = 10_000_000
"""Of each table, so many rows are compared at most, and fewer if it has over 500 columns."""


def compared(manifest: Manifest, inputs: Path) -> CompareAnswer:
    """How far the inputs lie from the bundle's reference; whatever goes wrong is a reason."""
    try:
        drift = _drift(manifest, inputs)
    except MemoryError:
        return CompareAnswer(unknown="Comparing the bundle's reference takes more memory than it may.")
    except Exception as error:  # noqa: BLE001 - process boundary: the reference may be anything
        reason = f"The bundle's reference cannot be compared: {type(error).__name__}: {error}"
        return CompareAnswer(unknown=reason[:1_000])
    if not (drift.columns or drift.labels or drift.predictions):
        return CompareAnswer(unknown="The bundle's reference has no column of numbers or names that the model gets.")
    return CompareAnswer(drift=drift)


def _drift(manifest: Manifest, inputs: Path) -> TableDrift:
    features, outcomes = read_arrow(inputs / FEATURES), read_arrow(inputs / OUTCOMES)
    names, label, prediction = scalars_of(features, features.column_names), manifest.target, _free_name(manifest)
    most = max(1, min(MOST_ROWS, MOST_CELLS // max(1, len(names))))
    before = _with_labels(sampled_reference(inputs / BUNDLE / REFERENCE, [*names, label], most), manifest)
    now, titles = _sampled(features.select(names), most), {LABEL: label, PREDICTION: prediction}
    for name, column in zip(outcomes.column_names, _sampled(outcomes, most).columns, strict=True):
        now = now.append_column(titles[name], _as_scalars(column, manifest.task))
    return table_drift(
        between(TableReference(before, beside=_predicted_before(prediction, manifest.task, inputs)), now),
        compared_with="reference",
        rows_before=before.num_rows,
        rows_now=now.num_rows,
        label=label,
        prediction=prediction,
    )


def _free_name(manifest: Manifest) -> str:
    """What the column of predictions is called, which no other column is."""
    name, taken = PREDICTION, {manifest.target, *(column.name for column in manifest.input_schema)}
    while name in taken:
        name += "_"
    return name


def _sampled(table: pa.Table, most: int) -> pa.Table:
    return pa.Table.from_batches(sampled(table.to_batches(), table.num_rows, most), table.schema)


def _with_labels(reference: pa.Table, manifest: Manifest) -> pa.Table:
    """The reference, with its labels as scalars if it has any."""
    if manifest.target not in reference.column_names:
        return reference
    place = reference.column_names.index(manifest.target)
    return reference.set_column(place, manifest.target, _as_scalars(reference.column(place), manifest.task))


def _predicted_before(name: str, task: Task, inputs: Path) -> dict[str, pa.ChunkedArray]:
    """What the model predicts of the reference, if that is known."""
    path = inputs / REFERENCE_OUTCOMES
    return {name: _as_scalars(read_arrow(path)[PREDICTION], task)} if path.exists() else {}


def _as_scalars(column: pa.ChunkedArray, task: Task) -> pa.ChunkedArray:
    """Values of a regression as they are; classes by their names, whatever type holds them; sets of labels likewise."""
    if task is Task.REGRESSION:
        return column
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not pa.types.is_nested(column.type):
        return column.cast(pa.string())
    names = (None if labels is None else ", ".join(sorted(map(str, labels))) for labels in column.to_pylist())
    return pa.chunked_array([pa.array(names, pa.string())])
