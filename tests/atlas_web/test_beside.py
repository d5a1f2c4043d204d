"""An event beside its nearest right neighbours."""

from dataclasses import replace

import numpy as np

from atlas_web.beside import MOST_FEATURES, beside
from explainability.explained import Explained
from tests.explained import explained


def events(rows: list[list[float]], truth: list[str], predicted: list[str]) -> Explained:
    made = explained(len(rows), features=len(rows[0]), local=0)
    values = np.zeros_like(made.findings.values)
    values[0, :, 1] = [0.1 * (number + 1) for number in range(len(rows[0]))]
    findings = replace(made.findings, rows=np.array(rows, dtype=np.float32), values=values)
    names = [np.array(labels, dtype=object) for labels in (truth, predicted)]
    return replace(made, findings=findings, truth=names[0], predicted=names[1])


def test_a_wrong_event_stands_beside_both_classes_and_what_misleads_is_marked() -> None:
    made = events(
        [[1.0, 5.0], [1.1, 9.0], [4.0, 5.5], [9.0, 9.0]],
        truth=["dent", "dent", "scratch", "dent"],
        predicted=["scratch", "dent", "scratch", "dent"],
    )
    found = beside(made, 0, 1)
    assert found is not None
    assert [(other.label, other.id) for other in found.others] == [("dent", "event-0001"), ("scratch", "event-0002")]
    assert [(row.feature, row.own, row.others, row.effect, row.nearer, row.misleads) for row in found.rows] == [
        ("peak_1", "5", ["9", "5.50"], "+0.200", "scratch", True),
        ("peak_0", "1", ["1.10", "4"], "+0.100", "dent", False),
    ]


def test_a_right_event_stands_beside_its_own_class_alone() -> None:
    found = beside(events([[1.0], [2.0]], truth=["dent", "dent"], predicted=["dent", "dent"]), 0, 1)
    assert found is not None
    assert [other.id for other in found.others] == ["event-0001"]
    assert [(row.nearer, row.misleads) for row in found.rows] == [("", False)]


def test_a_feature_that_is_missing_or_as_near_to_both_tells_nothing() -> None:
    made = events(
        [[np.nan, 2.0], [1.0, 1.0], [2.0, 3.0]],
        truth=["dent", "dent", "scratch"],
        predicted=["scratch", "dent", "scratch"],
    )
    found = beside(made, 0, 1)
    assert found is not None
    assert [(row.own, row.nearer) for row in found.rows] == [("2", ""), ("missing", "")]


def test_features_that_count_least_are_left_out() -> None:
    found = beside(explained(60, features=20, local=0), 0, 0)
    assert found is not None
    assert (len(found.rows), found.hidden) == (MOST_FEATURES, 20 - MOST_FEATURES)


def test_without_a_right_event_there_is_no_neighbour() -> None:
    assert beside(events([[1.0], [2.0]], truth=["dent", "dent"], predicted=["scratch", "scratch"]), 0, 1) is None


def test_numbers_have_no_neighbours_of_a_class() -> None:
    assert beside(explained(classes=1), 0, 0) is None
