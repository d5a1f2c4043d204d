"""The nearest right neighbours of an event, among events whose distances are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explainability.explained import Explained
from explainability.neighbours import nearest_right
from tests.explained import explained

NONE = np.nan


def events(rows: list[list[float]], truth: str, predicted: str) -> Explained:
    """Events of these features; a letter is the class of one event."""
    made = explained(events=len(rows), features=len(rows[0]), local=0)
    findings = replace(made.findings, rows=np.array(rows, dtype=np.float32))
    return replace(
        made,
        findings=findings,
        truth=np.array(list(truth), dtype=object),
        predicted=np.array(list(predicted), dtype=object),
    )


def place(found: Any) -> int | None:
    return None if found is None else found.place


def test_the_nearest_event_is_one_that_truly_has_the_class_and_is_predicted_as_it() -> None:
    made = events([[0.0], [1.0], [2.0], [3.0], [9.0]], truth="aabab", predicted="bbbab")
    assert place(nearest_right(made, 0, "a")) == 3
    assert place(nearest_right(made, 0, "b")) == 2


def test_an_event_is_not_its_own_neighbour() -> None:
    made = events([[0.0], [1.0], [7.0]], truth="aaa", predicted="aaa")
    assert place(nearest_right(made, 0, "a")) == 1


def test_a_class_that_is_never_predicted_rightly_has_no_neighbour() -> None:
    made = events([[0.0], [1.0]], truth="ab", predicted="ba")
    assert nearest_right(made, 0, "a") is None


def test_features_count_alike_whatever_their_unit() -> None:
    made = events([[0.0, 0.0], [1.0, 0.0], [0.0, 3000.0], [2.0, 9000.0]], truth="baaa", predicted="aaaa")
    assert place(nearest_right(made, 0, "a")) == 2
    found = nearest_right(made, 0, "a")
    assert found is not None
    np.testing.assert_allclose(found.differences, np.array([0, 3000 / np.std([0, 0, 3000, 9000])]), rtol=1e-6)
    assert found.distance == pytest.approx(np.sqrt(np.mean(found.differences**2)))


def test_a_feature_that_is_the_same_everywhere_says_nothing() -> None:
    made = events([[5.0, 0.0], [5.0, 2.0], [5.0, 1.0]], truth="baa", predicted="aaa")
    found = nearest_right(made, 0, "a")
    assert found is not None
    assert (found.place, found.differences[0]) == (2, 0)


def test_missing_features_are_left_out_of_the_distance() -> None:
    made = events([[0.0, NONE], [1.0, 0.0], [2.0, 5.0], [NONE, 5.0]], truth="baaa", predicted="aaaa")
    found = nearest_right(made, 0, "a")
    assert found is not None
    assert found.place == 1
    np.testing.assert_array_equal(np.isnan(found.differences), [False, True])


def test_events_that_share_no_feature_are_no_neighbours() -> None:
    made = events([[0.0, NONE], [NONE, 1.0]], truth="ba", predicted="aa")
    assert nearest_right(made, 0, "a") is None
