"""What the scripts that draw charts receive."""

import json
import re
from pathlib import Path
from typing import get_args

import ui
from explainability import figures
from ui import charts


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
    assert drawn == {kind.kind for kind in (charts.History, charts.Residuals, charts.Signal, *get_args(figures.Figure))}


def test_every_script_is_loaded_by_pages_with_charts() -> None:
    folder = Path(ui.__file__).parent
    loaded = re.findall(r"ui/charts/(\w+\.js)", (folder / "templates/ui/charts.html").read_text())
    assert sorted(loaded) == sorted(script.name for script in (folder / "static/ui/charts").glob("*.js"))
    assert (loaded[0], loaded[-1]) == ("frame.js", "draw.js")
