"""How confusion matrices differ, whatever their size."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from atlas_web.drops.answers import Confusion, confusion
from storage.queries import StoredResult

RIGHT, SOME = 90, 40


@dataclass
class Outcome:
    """As much of a stored result as is read."""

    version: int
    confusion_matrix: tuple[list[str], list[list[int]]] | None


def of(version: int, classes: int, taken_for_the_next: int = 0) -> Outcome:
    """A matrix that is right but for events of the first class that are taken for the second."""
    counts = RIGHT * np.eye(classes, dtype=int)
    counts[0, :2] += [-taken_for_the_next, taken_for_the_next]
    return Outcome(version, ([f"class {number}" for number in range(classes)], counts.tolist()))


def told(then: Outcome, now: Outcome) -> Confusion:
    found = confusion(cast(StoredResult, then), cast(StoredResult, now))
    assert found is not None
    return found


def test_a_few_classes_are_a_matrix() -> None:
    found = told(of(1, 3), of(2, 3, SOME))
    assert found.finding.startswith("class 0 is taken for class 1 more often: 44.4")
    assert len(found.shifts) == 3
    assert not found.cells


def test_of_many_classes_the_mistakes_that_changed_most_are_listed() -> None:
    found = told(of(1, 13), of(2, 13, SOME))
    assert not found.shifts
    assert (found.cells[0].truth, found.cells[0].predicted) == ("class 0", "class 1")
    assert len(found.cells) == 10


def test_a_mistake_that_became_rarer_is_no_reason() -> None:
    found = told(of(1, 3, SOME), of(2, 3))
    assert found.reason is None
    assert found.finding == "No kind of mistake became more frequent by more than noise."


def test_other_classes_do_not_compare() -> None:
    found = told(of(1, 3), of(2, 4))
    assert found.finding == "v1 has other classes than v2, so the matrices do not compare."
    assert not found.shifts


def test_without_a_matrix_there_is_no_card() -> None:
    assert confusion(cast(StoredResult, Outcome(1, None)), cast(StoredResult, of(2, 3))) is None
