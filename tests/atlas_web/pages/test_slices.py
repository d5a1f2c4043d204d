"""Slices on the page of a benchmark."""

import pytest

from atlas.results import BenchmarkResult, MetricValue, SliceMetrics
from tests import stage
from tests.atlas_web.conftest import Read, Shown
from tests.samples import result

pytestmark = pytest.mark.django_db


def value(f1: float | None, half: float | None = 0.02, *, greater: bool = True, name: str = "f1") -> MetricValue:
    ends = {} if f1 is None or half is None else {"low": f1 - half, "high": f1 + half}
    return MetricValue(
        name=name, value=f1, greater_is_better=greater, reason="" if f1 is not None else "No hit.", **ends
    )


def of(column: str, name: str, rows: int, *metrics: MetricValue) -> SliceMetrics:
    return SliceMetrics(column=column, value=name, rows=rows, metrics=metrics)


def page(read: Read, *slices: SliceMetrics, whole: MetricValue | None = None) -> Shown:
    outcome: BenchmarkResult = result(metrics=(whole or value(0.8),), slice_metrics=slices)
    return read(f"/benchmarks/{stage.finish(stage.add_model(), stage.add_version(), outcome)}/")


def card(shown: Shown, column: str) -> list[str]:
    """The rows of the table of one column."""
    html = shown.html[shown.html.index(f">By {column}</h2>") :]
    return Shown(200, html[: html.index("</section>")]).rows()


def test_each_column_has_a_table_with_the_worst_slice_first(read: Read) -> None:
    shown = page(
        read,
        of("car", "A1", 70, value(0.85)),
        of("car", "B2", 30, value(0.7)),
        of("environment", "gravel", 100, value(0.8)),
    )
    assert card(shown, "car") == [
        "B2 Worst 0.700 [0.680, 0.720] -0.100 worse 30",
        "A1 0.850 [0.830, 0.870] +0.050 better 70",
    ]
    assert card(shown, "environment") == ["gravel 0.800 [0.780, 0.820] ±0.000 100"]


def test_the_worst_is_marked_only_if_it_is_more_than_noise(read: Read) -> None:
    shown = page(read, of("car", "A1", 70, value(0.8)), of("car", "B2", 5, value(0.7, 0.2)))
    assert card(shown, "car") == ["B2 0.700 [0.500, 0.900] -0.100 5", "A1 0.800 [0.780, 0.820] ±0.000 70"]


def test_of_better_slices_none_is_the_worst(read: Read) -> None:
    assert "Worst" not in " ".join(card(page(read, of("car", "A1", 70, value(0.9))), "car"))


def test_where_less_is_better_more_is_worse(read: Read) -> None:
    shown = page(
        read,
        of("car", "A1", 70, value(0.3, greater=False)),
        of("car", "B2", 30, value(0.5, greater=False)),
        whole=value(0.4, greater=False),
    )
    assert card(shown, "car") == [
        "B2 Worst 0.500 [0.480, 0.520] +0.100 worse 30",
        "A1 0.300 [0.280, 0.320] -0.100 better 70",
    ]


def test_a_slice_without_a_value_comes_last_and_says_why(read: Read) -> None:
    shown = page(read, of("car", "A1", 7, value(None)), of("car", "B2", 30, value(0.7)))
    assert card(shown, "car")[-1] == "A1 - No hit. - 7"


def test_without_intervals_nothing_is_marked(read: Read) -> None:
    shown = page(read, of("car", "A1", 70, value(0.2, None)), whole=value(0.8, None))
    assert card(shown, "car") == ["A1 0.200 -0.600 70"]


def test_where_the_primary_metric_is_the_author_s_own_slices_show_the_next(read: Read) -> None:
    """Metrics of an author's own are not measured on slices."""
    outcome = result(
        metrics=(value(3.0, None, name="cost"), value(0.9, name="accuracy")),
        slice_metrics=(of("car", "A1", 70, value(0.9, name="accuracy")),),
    )
    model = stage.add_model(
        metrics=("cost", "accuracy"),
        primary_metric="cost",
        custom_metrics=({"name": "cost", "function": "costs:cost"},),
        members={
            "model.skops": {"sha256": "0" * 64, "size_bytes": 1},
            "code/costs.py": {"sha256": "0" * 64, "size_bytes": 1},
        },
    )
    shown = read(f"/benchmarks/{stage.finish(model, stage.add_version(), outcome)}/")
    assert "car Accuracy From all Rows" in shown.text


def test_a_name_is_text_and_never_markup(read: Read) -> None:
    html = page(read, of("<b>car</b>", "<i>A1</i>", 70, value(0.9))).html
    assert "<b>car" not in html
    assert "<i>A1" not in html
    assert "&lt;i&gt;A1&lt;/i&gt;" in html


def test_a_result_without_slices_has_no_tables_of_them(read: Read) -> None:
    assert "From all" not in page(read).text
