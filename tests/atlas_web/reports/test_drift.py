"""How the data of two dataset versions differ."""

from typing import Any

import pytest

from atlas.datasets import ColumnStatistics, Statistics
from atlas_web.reports.drift import label_points, schema_changes, shifts


def column(name: str, **known: Any) -> ColumnStatistics:
    return ColumnStatistics(name=name, dtype="double", **({"missing": 0} | known))


def statistics(*columns: ColumnStatistics, rows: int = 100, **labels: int) -> Statistics:
    return Statistics(rows=rows, labels=labels, cars={}, environments={}, columns=columns)


def test_a_mean_moves_by_standard_deviations_of_the_values_before() -> None:
    before = statistics(column("peak", mean=10.0, standard_deviation=4.0))
    now = statistics(column("peak", mean=8.0, standard_deviation=1.0))
    assert shifts(before, now)[0].deviations == -0.5


@pytest.mark.parametrize("known", [{}, {"mean": 1.0}, {"mean": 1.0, "standard_deviation": 0.0}])
def test_what_does_not_vary_or_is_no_number_moves_by_no_deviations(known: dict[str, float]) -> None:
    assert shifts(statistics(column("peak", **known)), statistics(column("peak", mean=2.0)))[0].deviations is None


def test_missing_values_are_shares_of_each_version_s_own_events() -> None:
    shift = shifts(statistics(column("peak", missing=10)), statistics(column("peak", missing=10), rows=50))[0]
    assert (shift.missing_before, shift.missing_now, round(shift.missing_points)) == (0.1, 0.2, 10)


def test_what_moved_furthest_comes_first() -> None:
    before = statistics(*(column(name, mean=0.0, standard_deviation=1.0) for name in ("a", "b", "c")))
    now = statistics(column("a", mean=0.1), column("b", mean=-2.0), column("c", mean=0.1, missing=50))
    assert [shift.column for shift in shifts(before, now)] == ["b", "c", "a"]


def test_a_label_that_is_new_or_gone_counts_too() -> None:
    points = label_points(statistics(intact=60, dent=40), statistics(rows=50, intact=20, scratch=30))
    assert [(name, round(moved)) for name, moved in points] == [("scratch", 60), ("dent", -40), ("intact", -20)]


def test_an_empty_version_divides_by_nothing() -> None:
    empty = statistics(column("peak"), rows=0)
    assert shifts(empty, empty)[0].missing_points == 0
    assert label_points(empty, empty) == []


def test_columns_that_came_and_went_are_named() -> None:
    before = statistics(column("peak"), column("old"))
    now = statistics(column("peak"), *(column(f"c{number}") for number in range(7)))
    assert list(schema_changes(before, now)) == [
        "New columns: c0, c1, c2, c3, c4 and 2 more.",
        "Columns that are gone: old.",
    ]
    assert list(schema_changes(before, before)) == []
