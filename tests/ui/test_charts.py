"""What the scripts that draw charts receive."""

import json
import re
from pathlib import Path
from typing import get_args

import ui
from explainability import figures
from ui import charts, drift, formats

OWN = (
    charts.History,
    charts.Pareto,
    charts.Residuals,
    charts.Signal,
    charts.Curves,
    charts.Reliability,
    charts.Histogram,
    charts.Quantiles,
    drift.Distributions,
    drift.DriftScores,
)


def test_what_is_not_a_number_becomes_a_gap() -> None:
    series = (charts.Series("forest", (0.9, float("nan"), float("inf")), main=True),)
    content = json.loads(
        json.dumps(charts.as_json(charts.History("Accuracy", ("v1",), ("",), series)), allow_nan=False)
    )
    assert content["series"][0]["values"] == [0.9, None, None]
    assert content["series"][0]["main"] is True


def test_every_kind_of_chart_has_a_drawing_function() -> None:
    scripts = sorted((Path(ui.__file__).parent / "static/ui/charts").glob("*.js"))
    drawn = {
        name for script in scripts for name in re.findall(r"^    (\w+)\(chart, ink", script.read_text(), re.MULTILINE)
    }
    assert drawn == {kind.kind for kind in (*OWN, *get_args(figures.Figure))}


def test_every_script_is_loaded_by_pages_with_charts() -> None:
    folder = Path(ui.__file__).parent
    loaded = re.findall(r"ui/charts/(\w+\.js)", (folder / "templates/ui/charts.html").read_text())
    assert sorted(loaded) == sorted(script.name for script in (folder / "static/ui/charts").glob("*.js"))
    assert (loaded[0], loaded[-1]) == ("frame.js", "draw.js")


def test_a_history_is_a_table_of_versions_with_intervals() -> None:
    series = (
        charts.Series("forest", (0.9, None), (0.8, None), (0.95, None), main=True),
        charts.Series("linear", (0.7, -0.25)),
    )
    head, rows = charts.History("Accuracy", ("v1", "v2"), ("", ""), series).table
    assert head == ("Version", "forest", "linear")
    assert rows == [("v1", "0.900 [0.800, 0.950]", "0.700"), ("v2", formats.NOTHING, f"{formats.MINUS}0.250")]


def test_a_curve_s_table_tells_its_height_where_it_has_no_point_and_its_top_where_it_rises() -> None:
    line = charts.Line("damaged", (0.0, 0.0, 0.5, 1.0), (0.0, 0.4, 0.8, 1.0), 0.7, 0.5)
    _, rows = charts.Curves("False positive rate", "True positive rate", "AUC", True, (line,)).table
    assert rows[0] == ("AUC", "0.700")
    heights = {row[0]: row[1] for row in rows[1:]}
    assert (heights["0.00"], heights["0.25"], heights["1.00"]) == ("0.400", "0.600", "1.000")


def test_a_curve_s_label_tells_the_areas_of_those_to_look_at() -> None:
    lines = [charts.Line(name, (0, 1), (0, 1), 0.5, 0.5, main=name == "a") for name in "ab"]
    assert charts.Curves("Recall", "Precision", "AP", False, lines).label == (
        "Line chart: Precision over recall; AP of a 0.500"
    )


def test_long_lists_of_points_are_tables_of_about_twenty() -> None:
    points = [float(place) for place in range(200)]
    assert len(charts.Residuals(points, points, "speed").table[1]) == 20
    assert len(charts.Quantiles("Off", points, points, 0.0, 1.0).table[1]) == 20


def test_a_histogram_s_label_tells_where_most_are() -> None:
    chart = charts.Histogram("Off", (0.0, 1.0, 2.0), (3, 7))
    assert chart.label == "Histogram of off: most, 7, are between 1 and 2"
    assert chart.table[1] == [("0", "1", "3"), ("1", "2", "7")]


def test_a_chart_without_a_table_has_none() -> None:
    assert charts.as_table(charts.Signal("shock", (0, 1), (0.0, 1.0), 2)) is None


def test_the_drift_of_versions_is_a_table_and_says_where_most_moved() -> None:
    scores = drift.DriftScores(
        versions=("v1", "v2"),
        notes=("", ""),
        shares=(None, 0.25),
        farthest=(None, 0.31),
        columns=("", "peak"),
        least=0.1,
        targets=("v1", "v2"),
    )
    assert scores.label == f"Line chart: most columns have moved on v2, 25.0{formats.NARROW_SPACE}%"
    _, rows = scores.table
    assert rows == [
        ("v1", formats.NOTHING, formats.NOTHING, ""),
        ("v2", f"25.0{formats.NARROW_SPACE}%", "0.310", "peak"),
    ]


def test_two_distributions_say_what_changed_most() -> None:
    shown = drift.Distributions(names=("v1", "v2"), bins=("low", "high"), before=(1, 3), now=(3, 3))
    quarter, half = (f"{share}{formats.NARROW_SPACE}%" for share in ("25.0", "50.0"))
    assert shown.label == f"Bar chart of two distributions: low changed most, from {quarter} of v1 to {half} of v2"
    assert shown.table[1][0] == ("low", "1", quarter, "3", half)
