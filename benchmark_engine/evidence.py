"""What the object store keeps of the predictions of one model's results, as comparing versions takes it."""

from collections.abc import Callable, Sequence
from typing import BinaryIO, TypeVar, cast

import pyarrow as pa

from atlas import predictions
from atlas.drift import ColumnDrift
from atlas.errors import AtlasError, ObjectNotFoundError
from atlas.predictions import PREDICTION, PredictionsError, StoredAnswers
from monitoring.changed import LONGEST
from monitoring.documents import table_drift
from monitoring.events import NumberedEvents, Numbering, Numbers
from monitoring.history import history
from monitoring.shared import Answered
from storage.checking import ResultStream, StoredResult
from storage.objects import ObjectStore
from storage.ranges import ObjectFile

MOST_EVENTS = 1_000_000
"""Of all versions that are compared with each other: their ids are held in memory. Older versions count as sharing
none."""
MOST_ANSWERS = 5_000_000
"""Rows by classes of one version, beyond which intervals alone tell a difference."""

Found = TypeVar("Found")
Tell = Callable[[StoredResult, AtlasError], None]


class Evidence:
    """The predictions of a stream of results. Ids and truth of each are read once; more only of those asked for.

    What cannot be read is None, and told once. All methods raise ObjectStoreError while the store cannot be reached.

    Args:
        objects: where predictions lie.
        stream: the results.
        tell: takes a result whose predictions cannot be read, and why.
    """

    def __init__(self, objects: ObjectStore, stream: ResultStream, tell: Tell) -> None:
        self._objects = objects
        self._stream = stream
        self._tell = tell
        self._numbering = Numbering()
        self._numbers: dict[int, Numbers | None] = {}
        self._sets: dict[int, NumberedEvents] = {}
        self._unreadable: set[int] = set()

    def events(self, results: Sequence[StoredResult]) -> dict[int, NumberedEvents]:
        """The events of the newest of some results, by benchmark, as far as they have names."""
        if len(self._numbering) > MOST_EVENTS:
            self._forget()
        held = 0
        for result in reversed(results[-LONGEST:]):
            held += result.rows
            if held > MOST_EVENTS:
                break
            self._number(result)
        return {pk: self._sets[pk] for pk in (each.benchmark for each in results) if pk in self._sets}

    def answered(self, result: StoredResult) -> Answered | None:
        """A model's answers to the events of one version; None where these have no names, or are too many."""
        numbers = self._numbers.get(result.benchmark)
        if numbers is None or result.rows * max(len(self._stream.classes), 1) > MOST_ANSWERS:
            return None
        stored = self._read(result, self._answers)
        if stored is None or len(stored.answers) != len(numbers):
            return None
        return Answered(events=numbers, truth=stored.answers.truth, predictions=stored.answers.predictions)

    def drift(self, results: Sequence[StoredResult]) -> ColumnDrift | None:
        """How far the predictions of the last of some results have moved from those of the one before."""
        if len(results) < 2 or max(each.rows for each in results[-2:]) > MOST_EVENTS:
            return None
        before, now = (self._read(each, self._predicted) for each in results[-2:])
        if before is None or now is None or not before.num_rows or not now.num_rows:
            return None
        (moved,) = history(before, [("now", now)])
        told = table_drift(
            moved.from_reference,
            compared_with="previous",
            rows_before=before.num_rows,
            rows_now=now.num_rows,
            prediction=PREDICTION,
        )
        return told.predictions

    def _number(self, result: StoredResult) -> None:
        if result.benchmark in self._numbers:
            return
        names = self._read(result, predictions.event_names)
        numbers = None if names is None else self._numbering.numbers(names.to_pylist())
        self._numbers[result.benchmark] = numbers
        if numbers is not None:
            self._sets[result.benchmark] = NumberedEvents.of(numbers)

    def _forget(self) -> None:
        """Begin anew with numbers, so that of a long stream no more than its newest events are held."""
        self._numbering = Numbering()
        self._numbers.clear()
        self._sets.clear()

    def _answers(self, file: BinaryIO) -> StoredAnswers:
        return predictions.read(file.read(), self._stream.task, self._stream.classes)

    def _predicted(self, file: BinaryIO) -> pa.Table:
        return predictions.predicted(file, self._stream.task)

    def _read(self, result: StoredResult, reader: Callable[[BinaryIO], Found]) -> Found | None:
        if not result.predictions_key or result.benchmark in self._unreadable:
            return None
        try:
            return reader(cast(BinaryIO, ObjectFile(self._objects, result.predictions_key)))
        except (ObjectNotFoundError, PredictionsError) as error:
            self._unreadable.add(result.benchmark)
            self._tell(result, error)
            return None
