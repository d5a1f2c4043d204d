"""Which charts there are of how answers spread, and what their cards say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from atlas_web import spread
from atlas_web.spread import panels
from storage import queries
from tests.atlas_web.pages.test_curves import OF_CLASSES, benchmark, three_classes, two_classes
from ui import charts

pytestmark = pytest.mark.django_db
Shown = Callable[..., tuple[spread.Panel, ...]]


@pytest.fixture
def shown(settings: Settings, tmp_path: Path) -> Shown:
    """Makes a benchmark and gives its cards."""
    settings.ATLAS_OBJECT_STORE = str(tmp_path)

    def made(columns: dict[str, Any], **changes: Any) -> tuple[spread.Panel, ...]:
        page = queries.benchmark_page(benchmark(columns, **changes))
        assert page is not None
        return panels(page)

    return made


def test_the_worst_classes_come_first_and_are_those_to_look_at(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "MOST_MAIN", 2)
    roc = shown(three_classes(), task="multiclass", classes=("a", "b", "c"), **OF_CLASSES)[0]
    assert isinstance(roc.chart, charts.Curves)
    areas = [line.area for line in roc.chart.lines]
    assert areas == sorted(areas)
    assert [line.main for line in roc.chart.lines] == [True, True, False]
    assert "The 2 worst are in colour." in roc.text


def test_a_class_that_no_event_has_is_said_to_be_left_out(shown: Shown) -> None:
    columns = three_classes() | {"probability d": np.zeros(200)}
    roc = shown(columns, task="multiclass", classes=("a", "b", "c", "d"), **OF_CLASSES)[0]
    assert "1 class left out" in roc.text


@pytest.mark.parametrize(("power", "words"), [(0.2, "too high"), (5.0, "too low")])
def test_probabilities_that_are_off_are_said_to_be(shown: Shown, power: float, words: str) -> None:
    columns = two_classes()
    said = columns["probability damaged"] ** power
    columns |= {"probability damaged": said, "probability intact": 1 - said}
    assert words in shown(columns)[-1].text


def test_several_classes_have_no_brier_score_of_their_confidence(shown: Shown) -> None:
    assert "Brier" in shown(two_classes())[-1].text
    several = shown(three_classes(), name="Forest-2.0.0-1", task="multiclass", classes=("a", "b", "c"), **OF_CLASSES)
    assert "Expected calibration error" in several[-1].text
    assert "Brier" not in several[-1].text


def test_a_model_with_scores_alone_has_curves_and_no_calibration(shown: Shown) -> None:
    columns = two_classes()
    scores = {name: values for name, values in columns.items() if not name.startswith("probability")}
    found = shown(scores | {"score": columns["probability damaged"]})
    assert [panel.id for panel in found] == ["roc", "precision-recall"]
