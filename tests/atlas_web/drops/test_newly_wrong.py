"""Two results event by event: what became wrong, what is new, what has another label."""

import numpy as np
import pytest

from atlas_web.drops import newly_wrong
from atlas_web.drops.newly_wrong import CannotCompareError, compared
from atlas_web.predicted import Predicted


def classes(**events: str) -> Predicted:
    """Events by id: truth, prediction and confidence in one text, such as `a b .9`."""
    rows = [text.split() for text in events.values()]
    truth, predicted = (np.array([row[place] for row in rows], dtype=object) for place in (0, 1))
    return Predicted(
        ids=np.array(list(events), dtype=object),
        truth=truth,
        predicted=predicted,
        confidence=np.array([float(row[2]) for row in rows]),
        mistakes=(truth != predicted).astype(float),
    )


def numbers(**events: tuple[float, float]) -> Predicted:
    truth, predicted = np.array(list(events.values())).T
    return Predicted(
        ids=np.array(list(events), dtype=object),
        truth=truth,
        predicted=predicted,
        confidence=np.full(len(truth), np.nan),
        mistakes=np.abs(truth - predicted),
    )


def test_events_are_shared_new_or_relabelled() -> None:
    then = classes(one="a a .9", two="a a .9", three="a b .9", gone="a a .9")
    now = classes(two="a b .7", one="a a .9", three="b b .9", four="a b .6", five="a b .8", six="a a .9")
    found = compared(then, now)
    assert (found.shared.rows, found.added.rows, found.relabelled.rows, found.gone) == (2, 3, 1, 1)
    assert now.ids[found.shared.worst].tolist() == ["two"]
    assert now.ids[found.added.worst].tolist() == ["five", "four"]
    assert now.ids[found.relabelled.worst].tolist() == []
    assert (found.shared.was_wrong, found.shared.wrong) == (0.0, 0.5)
    assert found.added.was_wrong is None
    assert found.relabelled.was_wrong == 1.0


def test_those_that_became_wrong_with_most_confidence_come_first() -> None:
    then = classes(one="a a .9", two="a a .9", three="a b .9")
    now = classes(one="a b .6", two="a b .9", three="a a .9")
    found = compared(then, now)
    assert now.ids[found.shared.worst].tolist() == ["two", "one"]
    assert found.mended == 1


def test_of_numbers_those_come_first_that_went_farthest_and_rounding_is_no_change() -> None:
    then = numbers(one=(1.0, 1.0), two=(2.0, 2.0), three=(3.0, 4.0), four=(9.0, 9.0))
    now = numbers(one=(1.0, 1.5), two=(2.0, 4.0), three=(3.0, 3.0), four=(9.0, 9.0 + 1e-9))
    found = compared(then, now)
    assert now.ids[found.shared.worst].tolist() == ["two", "one"]
    assert found.mended == 1
    assert found.shared.was_wrong == 0.25


def test_nothing_in_common_is_all_new() -> None:
    found = compared(classes(one="a a .9"), classes(two="a b .9"))
    assert (found.shared.rows, found.shared.wrong, found.added.rows, found.gone) == (0, None, 1, 1)


def test_ids_that_several_events_have_tell_nothing() -> None:
    twice = classes(one="a a .9", two="a a .9")
    twice.ids[1] = "one"
    with pytest.raises(CannotCompareError, match="same id"):
        compared(classes(one="a a .9"), twice)


def test_too_many_events_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newly_wrong, "MOST_EVENTS", 1)
    with pytest.raises(CannotCompareError, match="more than 1 events"):
        compared(classes(one="a a .9"), classes(one="a a .9", two="a a .9"))
