"""Dependence of an effect on its feature's value, and the model's answer as a feature moves."""

from dataclasses import replace

import numpy as np
import pytest

from explainability.explained import Effect, Explained
from explainability.figures import dependence, effect, strongest_interaction
from tests.explained import explained
from tests.figures import interacting


def noisy(seed: int) -> Explained:
    """Events whose effects have noise that no feature tells."""
    events = explained(events=400, features=20, classes=1, seed=seed)
    random = np.random.default_rng(seed)
    events.findings.values[:] += random.normal(scale=0.05, size=events.findings.values.shape)
    return events


def test_each_fair_event_is_a_point() -> None:
    events = explained(classes=1)
    found = dependence(events, 2, 0)
    assert found.events == events.ids[events.is_sampled].tolist()
    np.testing.assert_allclose(found.values, events.findings.rows[events.is_sampled, 2], rtol=1e-6)
    np.testing.assert_allclose(found.effects, events.findings.values[events.is_sampled, 2, 0], rtol=1e-6)
    assert (found.feature, found.axis, found.missing) == ("peak_2", "Effect on speed_kmh", 0)


def test_events_without_a_value_are_left_out_and_counted() -> None:
    events = explained(finite=False)
    found = dependence(events, 0, 0)
    assert found.missing == np.isnan(events.findings.rows[events.is_sampled, 0]).sum() > 0
    assert len(found.events) + found.missing == events.is_sampled.sum()


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_the_feature_that_changes_an_effect_is_its_partner(classes: int) -> None:
    events = interacting(explained(events=400, features=10, classes=classes))
    assert strongest_interaction(events, 0, 0) == 1
    found = dependence(events, 0, 0)
    assert found.partner == "peak_1"
    order = np.argsort(found.partner_values)
    assert (np.diff(np.array(found.ranks)[order]) >= 0).all()
    assert found.label.endswith("; its effect depends most on peak_1")


def test_missing_values_hide_no_partner() -> None:
    events = interacting(explained(events=400, classes=1))
    events.findings.rows[::9, 0] = np.nan
    events.findings.rows[::7, 1] = np.nan
    found = dependence(events, 0, 0)
    assert found.partner == "peak_1"
    assert np.isnan(found.ranks).any()


@pytest.mark.parametrize("features", [1, 6, 100])
def test_where_nothing_interacts_there_is_no_partner(features: int) -> None:
    events = explained(events=1000, features=features, classes=1)
    assert [strongest_interaction(events, feature, 0) for feature in range(min(features, 6))] == [None] * min(
        features, 6
    )
    assert (dependence(events, 0, 0).partner, dependence(events, 0, 0).ranks) == ("", [])


def test_noise_seldom_finds_a_partner() -> None:
    found = [strongest_interaction(noisy(seed), feature, 0) for seed in range(5) for feature in range(20)]
    assert sum(partner is not None for partner in found) <= 2


def test_few_events_show_no_partner() -> None:
    assert strongest_interaction(interacting(explained(events=40, classes=1)), 0, 0) is None


def test_a_constant_feature_has_and_is_no_partner() -> None:
    events = explained(events=200, classes=1)
    events.findings.rows[:, :2] = 3.0
    assert strongest_interaction(events, 0, 0) is None
    assert strongest_interaction(events, 2, 0) is None


def test_a_partner_may_vary_around_a_large_number() -> None:
    events = interacting(explained(events=400, classes=1))
    rows = events.findings.rows.astype(float)
    rows[:, 1] += 1e7
    far = replace(events, findings=replace(events.findings, rows=rows))
    assert strongest_interaction(far, 0, 0) == 1


def test_dependence_is_told_in_words() -> None:
    events = explained(events=30, features=1, classes=1)
    events.findings.rows[:, 0] = np.arange(30)
    events.findings.values[:, 0, 0] = np.where(np.arange(30) < 15, -0.25, 0.5)
    assert dependence(events, 0, 0).label == (
        "Points of 23 events: the lowest peak_0 has an effect of \N{MINUS SIGN}0.250, the highest of +0.500"
    )
    events.findings.rows[:] = np.nan
    assert dependence(events, 0, 0).label == "Points of no events: peak_0 is missing in all"


def moved(lines: int) -> Effect:
    heights = np.arange(lines, dtype=np.float32) ** 2
    answers = heights[:, None, None] + np.array([0.0, 1.0, 0.5])[None, :, None] * [1.0, -1.0]
    return Effect(feature="peak", grid=np.array([1.0, 2.0, 4.0]), lines=answers)


def test_the_bold_line_is_the_mean_of_all_lines_shown_or_not() -> None:
    found = effect(moved(101), ("dent", "crack"), 0, most_lines=11)
    assert found.grid == [1.0, 2.0, 4.0]
    assert found.mean == pytest.approx([3350.0, 3351.0, 3350.5])
    assert found.events == 101
    assert [line[0] for line in found.lines] == [number**2 for number in range(0, 101, 10)]


def test_an_effect_is_of_one_output() -> None:
    found = effect(moved(3), ("dent", "crack"), 1, meaning="probability")
    assert found.mean == pytest.approx([5 / 3, 2 / 3, 7 / 6])
    assert len(found.lines) == 3
    assert found.axis == "Probability of crack"
    assert effect(moved(3), ("dent", "crack"), 1).axis == "Answer for crack"


def test_an_effect_is_told_in_words() -> None:
    assert effect(moved(1), ("dent", "crack"), 0).label == (
        "Line chart: as peak rises, the mean answer goes from 0 at 1 to 0.500 at 4, between 0 and 1"
    )
