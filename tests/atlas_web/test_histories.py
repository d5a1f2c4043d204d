"""Metrics over versions, as charts and in words."""

from dataclasses import replace

from atlas_web import histories
from storage.queries import HistoryPoint
from tests.samples import NOON


def point(version: int, value: float, model: str = "Forest-1.0.0-1", metric: str = "f1") -> HistoryPoint:
    return HistoryPoint(
        metric=metric, model=model, benchmark=1, tag="impacts", version=version, created=NOON, value=value
    )


def test_each_model_is_a_line_with_a_gap_where_it_has_no_value() -> None:
    points = [point(1, 0.8), point(2, 0.9), point(2, 0.7, "Linear-1.0.0-2")]
    chart = histories.chart("f1", "Forest-1.0.0-1", points)
    assert (chart.metric, chart.versions, chart.notes) == ("F1", ["v1", "v2"], ["02 Mar 2026", "02 Mar 2026"])
    assert [(line.name, line.values, line.main) for line in chart.series] == [
        ("Forest-1.0.0", [0.8, 0.9], True),
        ("Linear-1.0.0", [None, 0.7], False),
    ]


def test_names_keep_what_tells_them_apart() -> None:
    points = [point(1, 0.8), point(1, 0.9, "Forest-1.0.0-2"), point(1, 0.9, "Linear-1.0.0-2")]
    chart = histories.chart("f1", "Forest-1.0.0-1", points)
    assert [line.name for line in chart.series] == ["Forest-1.0.0-1", "Forest-1.0.0-2", "Linear-1.0.0"]


def test_a_chart_is_said_in_words() -> None:
    chart = histories.chart("f1", "Forest-1.0.0-1", [point(1, 0.8), point(2, 0.9), point(2, 0.7, "Linear-1.0.0-2")])
    assert histories.described(chart) == (
        "Line chart: F1 of Forest-1.0.0, with 1 other model, from 0.800 on v1 to 0.900 on v2"
    )


def test_a_chart_of_one_point_or_of_none_is_said_in_words_too() -> None:
    assert histories.described(histories.chart("f1", "A", [point(3, 0.8, "A")])) == "Line chart: F1 of A, 0.800 on v3"
    assert histories.described(histories.chart("f1", "A", [])) == "Line chart: F1 of A, not known on any version"


def test_the_past_ends_with_the_version_that_is_shown() -> None:
    points = [point(1, 0.7), point(2, 0.8), point(2, 0.1, metric="recall"), point(3, 0.9)]
    assert histories.past(points, "f1", until=2) == [0.7, 0.8]
    assert histories.past(points, "f1", until=3, most=2) == [0.8, 0.9]


def test_a_line_has_a_band_where_its_values_have_intervals() -> None:
    known = replace(point(2, 0.9), low=0.85, high=0.93)
    (line,) = histories.chart("f1", "Forest-1.0.0-1", [point(1, 0.8), known]).series
    assert (line.low, line.high) == ([None, 0.85], [None, 0.93])
