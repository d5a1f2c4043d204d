"""What drift costs, measured in a small way: the figures say nothing here, but that they can be had."""

from benchmarks.drift import TARGETS, measure


def test_all_figures_are_measured() -> None:
    figures = measure(rows=200, rounds=1)
    assert figures.keys() >= TARGETS.keys() | {"forest_seconds", "drift_seconds", "pairwise_seconds"}
    assert all(value > 0 for value in figures.values())
