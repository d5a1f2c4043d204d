"""What holds for all figures: they load fast, they can be sent to a page, and any model's events make them."""

import json
import subprocess
import sys
from dataclasses import fields
from typing import get_args

import pytest

from explainability.explained import Explained
from explainability.figures import Figure
from tests.explained import explained
from tests.figures import one_of_each
from ui import charts

SAMPLES = {
    "a regression": explained(classes=1),
    "two classes": explained(classes=2),
    "three classes": explained(finite=False),
    "ten classes": explained(classes=10),
    "one feature": explained(features=1),
    "one event": explained(events=1),
    "one event of one feature": explained(events=1, features=1, finite=False),
    "a hundred features": explained(features=100, finite=False),
}
samples = pytest.mark.parametrize("events", SAMPLES.values(), ids=SAMPLES.keys())


def test_figures_load_none_of_the_libraries_that_are_slow_to_load() -> None:
    code = "import explainability.figures, explainability.plots, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"shap", "numba", "sklearn", "matplotlib", "scipy", "pandas"} & set(loaded)


@samples
def test_each_kind_of_figure_can_be_drawn_of_any_model(events: Explained) -> None:
    assert {figure.kind for figure in one_of_each(events)} == {kind.kind for kind in get_args(Figure)}


@samples
def test_a_page_gets_the_whole_figure_as_json(events: Explained) -> None:
    for figure in one_of_each(events):
        sent = json.loads(json.dumps(charts.as_json(figure), allow_nan=False))
        assert set(sent) == {field.name for field in fields(figure)}
        assert sent["axis"] == figure.axis


@samples
def test_each_figure_says_its_finding_in_a_line_of_words(events: Explained) -> None:
    for figure in one_of_each(events):
        assert figure.label
        assert not {"\n", "nan", "None"} & {*figure.label.split(" "), *figure.label}


@samples
def test_figures_of_the_same_events_are_the_same(events: Explained) -> None:
    assert list(map(charts.as_json, one_of_each(events))) == list(map(charts.as_json, one_of_each(events)))
