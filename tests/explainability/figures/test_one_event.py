"""Waterfall and second opinion of one event."""

import numpy as np
import pytest

from explainability.figures import opinions, waterfall
from tests.explained import explained

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize("features", [1, 6, 100])
@pytest.mark.parametrize("classes", [1, 2, 3, 10])
def test_a_waterfall_ends_at_the_answer(classes: int, features: int) -> None:
    events, output = explained(features=features, classes=classes, finite=False), max(classes - 2, 0)
    found = waterfall(events, 7, output)
    assert found.base + sum(found.effects) == pytest.approx(found.answer, abs=1e-6)
    assert found.answer == pytest.approx(events.findings.answers[7, output], abs=1e-6)
    assert found.event == "event-0007"


def test_a_waterfall_begins_with_the_strongest_effect_and_sums_up_the_rest() -> None:
    events = explained(features=5, classes=1)
    events.findings.values[0, :, 0] = [0.1, -0.4, 0.2, 0.01, 0.02]
    found = waterfall(events, 0, 0, most=3)
    assert found.features == ["peak_1", "peak_2", "peak_0", "2 other features"]
    assert found.effects == pytest.approx([-0.4, 0.2, 0.1, 0.03])
    assert found.hidden == 2


def test_values_are_written_beside_the_names() -> None:
    events = explained(features=3, classes=1)
    events.findings.rows[0] = [1204.0, np.nan, -0.5]
    events.findings.values[0, :, 0] = [0.3, 0.2, 0.1]
    assert waterfall(events, 0, 0).given == ["1,204", "missing", f"{MINUS}0.500"]
    assert waterfall(events, 0, 0, most=1).given == ["1,204", ""]


def test_a_waterfall_is_told_in_words() -> None:
    events = explained(features=2, classes=2)
    events.findings.rows[0] = [3.0, 0.25]
    events.findings.values[0, :, 0] = [0.3, -0.1]
    assert waterfall(events, 0, 0).label == (
        f"Waterfall of event event-0000 from 0.500, the average, to 0.700: peak_0 = 3 +0.300 and peak_1 = 0.250 "
        f"{MINUS}0.100"
    )
    assert waterfall(events, 0, 0, most=1).label.endswith("to 0.700: peak_0 = 3 +0.300")


def test_an_event_without_a_second_opinion_has_no_figure_of_it() -> None:
    assert opinions(explained(local=0), 0, 0) is None
    assert opinions(explained(local=20), 20, 0) is None
    assert opinions(explained(local=20), 19, 0)


def test_two_opinions_stand_side_by_side() -> None:
    events = explained(features=3, classes=1)
    assert events.findings.local is not None
    events.findings.values[0, :, 0] = [0.1, 0.2, 0.05]
    events.findings.local[0, :, 0] = [0.5, -0.1, 0.01]
    found = opinions(events, 0, 0, most=2)
    assert found
    assert (found.features, found.hidden) == (["peak_0", "peak_1"], 1)
    assert found.shap == pytest.approx([0.1, 0.2])
    assert found.lime == pytest.approx([0.5, -0.1])
    assert found.label == "Bars of SHAP and LIME for event event-0000: both push the same way in 1 of 2 features"
