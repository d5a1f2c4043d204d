"""Some of a benchmark's events in some order."""

from typing import Any

import numpy as np
import pytest

from atlas_web.predicted import Predicted
from atlas_web.selection import Selection

NONE = np.nan


def selection() -> Selection:
    """Four events: `w` and `v` are wrong, `w` with more confidence; `u` and `r` are right, `r` with more."""
    predicted = Predicted(
        ids=np.array(["r", "u", "v", "w"], dtype=object),
        truth=np.array(["b", "a", "b", "a"], dtype=object),
        predicted=np.array(["b", "a", "a", "b"], dtype=object),
        confidence=np.array([0.9, 0.6, 0.7, 0.8]),
        mistakes=np.array([0.0, 0.0, 1.0, 1.0]),
    )
    return Selection.everything(predicted, np.array([True, False, True, False]))


def numbers(values: list[float], mistakes: list[float]) -> Selection:
    predicted = Predicted(
        ids=np.array([f"e{number}" for number in range(len(values))], dtype=object),
        truth=np.array(values),
        predicted=np.array(values),
        confidence=np.full(len(values), NONE),
        mistakes=np.array(mistakes),
    )
    return Selection.everything(predicted, np.zeros(len(values), dtype=bool))


def names(found: Selection) -> list[str]:
    return [event.id for event in found[:]]


def test_the_worst_come_first() -> None:
    assert names(selection()) == ["w", "v", "u", "r"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"truth": "a"}, ["w", "u"]),
        ({"predicted": "a"}, ["v", "u"]),
        ({"truth": "a", "predicted": "b"}, ["w"]),
        ({"judged": "wrong"}, ["w", "v"]),
        ({"judged": "right"}, ["u", "r"]),
        ({"explained": "yes"}, ["v", "r"]),
        ({"q": "u"}, ["u"]),
        ({}, ["w", "v", "u", "r"]),
    ],
)
def test_events_are_filtered_and_keep_their_order(filters: dict[str, Any], found: list[str]) -> None:
    assert names(selection().narrowed(**filters)) == found


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (["id"], ["r", "u", "v", "w"]),
        (["-id"], ["w", "v", "u", "r"]),
        (["confidence"], ["u", "v", "w", "r"]),
        (["truth"], ["w", "u", "v", "r"]),
        (["truth", "-confidence"], ["w", "u", "r", "v"]),
        (["-explained"], ["v", "r", "w", "u"]),
        ([], ["w", "v", "u", "r"]),
    ],
)
def test_events_are_sorted_and_equal_ones_keep_their_order(keys: list[str], found: list[str]) -> None:
    assert names(selection().order_by(*keys)) == found


@pytest.mark.parametrize(("key", "found"), [("truth", ["e2", "e0", "e1"]), ("-truth", ["e0", "e2", "e1"])])
def test_what_is_not_known_comes_last_in_either_direction(key: str, found: list[str]) -> None:
    assert names(numbers([5.0, NONE, 2.0], [0.0, 1.0, 2.0]).order_by(key)) == found


def test_an_event_has_a_place_and_neighbours_among_those_that_are_chosen() -> None:
    wrong = selection().narrowed(judged="wrong")
    first, second, other = 3, 2, 0
    assert (wrong.rank(first), wrong.rank(second), wrong.rank(other)) == (1, 2, None)
    assert wrong.around(first) == ("", "v")
    assert wrong.around(second) == ("w", "")
    assert wrong.around(other) == ("", "")


def test_none_is_none() -> None:
    assert len(selection().none()) == 0


def test_only_what_is_seen_is_made_into_events() -> None:
    (event,) = selection()[1:2]
    assert (event.id, event.truth, event.predicted, event.confidence, event.error, event.is_explained) == (
        "v",
        "b",
        "a",
        0.7,
        1.0,
        True,
    )
