"""The predictions that a person asked for, row by row. Arrays in, rows out; no database."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import pyarrow as pa
from pyarrow import parquet

from atlas.errors import AtlasError
from atlas.inference import Inferred
from atlas.predictions import ID, PREDICTION, PROBABILITY, TRUTH
from atlas.vocabulary import Split

SPLIT = "split"


class InferredError(AtlasError):
    """A file does not hold predictions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row that was predicted.

    Attributes:
        number: of the row, from 1.
        id: of the event, or the number as text.
        predicted: a class, labels joined by commas, or a number.
        truth: likewise; None where it is not known.
        confidence: the probability of the predicted class; None where there is none.
        probabilities: of each class.
        in_training: whether the event is in the split that models are trained on.
        outside: the columns whose value the model was not trained on.
        is_explained: whether it has an explanation.
    """

    number: int
    id: str
    predicted: str | float
    truth: str | float | None
    confidence: float | None
    probabilities: tuple[tuple[str, float], ...]
    in_training: bool
    outside: tuple[str, ...]
    is_explained: bool


@dataclass(frozen=True)
class Lines(Sequence[Line]):
    """All rows of some predictions; a row is made when it is asked for."""

    table: pa.Table
    document: Inferred

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, place: int) -> Line: ...

    @overload
    def __getitem__(self, place: slice) -> list[Line]: ...

    def __getitem__(self, place: int | slice) -> Line | list[Line]:
        """A row by its place, or the rows from one place to another."""
        if isinstance(place, slice):
            start, stop, _ = place.indices(len(self))
            return self.part(start, stop)
        return self.part(place, place + 1)[0]

    def part(self, start: int, stop: int) -> list[Line]:
        """The rows from one place to another."""
        rows = self.table.slice(start, max(stop - start, 0)).to_pylist()
        return [self._line(number, row) for number, row in enumerate(rows, start + 1)]

    @cached_property
    def outside(self) -> dict[str, tuple[str, ...]]:
        """The columns with a value that is out of range, by the id of the row."""
        found: dict[str, list[str]] = {}
        for each in self.document.out_of_range:
            for event in each.events:
                found.setdefault(event, []).append(each.column)
        return {event: tuple(columns) for event, columns in found.items()}

    def _line(self, number: int, row: dict[str, object]) -> Line:
        predicted = _predicted(row)
        probabilities = tuple(_titled(row, PROBABILITY))
        return Line(
            number=number,
            id=str(row[ID]),
            predicted=predicted,
            truth=_told(row.get(TRUTH)),
            confidence=dict(probabilities).get(str(predicted)),
            probabilities=probabilities,
            in_training=row.get(SPLIT) == Split.TRAINING,
            outside=self.outside.get(str(row[ID]), ()),
            is_explained=number <= self.document.explanation.rows,
        )


def read(content: bytes, document: Inferred) -> Lines:
    """What the engine wrote, from the content of its Parquet file.

    Raises:
        InferredError: it is no such file.
    """
    try:
        table = parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, ValueError) as error:
        raise InferredError(f"The file does not hold predictions: {error}") from error
    if ID not in table.column_names or not any(name.startswith(PREDICTION) for name in table.column_names):
        raise InferredError("The file does not hold predictions.")
    return Lines(table, document)


def as_records(lines: Iterable[Line]) -> Iterator[dict[str, object]]:
    """Rows for other programs: named values, a probability of each class in a column of its own."""
    for line in lines:
        yield {
            "row": line.number,
            "id": line.id,
            "prediction": line.predicted,
            **{f"probability {name}": value for name, value in line.probabilities},
            "truth": line.truth,
            "out_of_range": list(line.outside),
        }


def _titled(row: dict[str, object], name: str) -> Iterator[tuple[str, float]]:
    for title, value in row.items():
        if title.startswith(f"{name} ") and isinstance(value, int | float):
            yield title.removeprefix(f"{name} "), float(value)


def _predicted(row: dict[str, object]) -> str | float:
    if PREDICTION in row:
        return _told(row[PREDICTION]) or 0.0
    return ", ".join(label for label, given in _titled(row, PREDICTION) if given) or "none"


def _told(value: object) -> str | float | None:
    """A value as a person reads it: numbers stay numbers; None for what is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, float) else str(value)
