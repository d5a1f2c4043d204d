"""Curves, calibration and residuals, checked against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from atlas import curves


def sample(events: int, decimals: int = 12, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Whether each event is positive, and scores that know it in part; few decimals make many ties."""
    random = np.random.default_rng(seed)
    truth = random.random(events) < 0.3
    return truth, np.round(1 / (1 + np.exp(-random.normal(2.0 * truth - 1.0))), decimals)


def furthest(curve: curves.Curve, x: np.ndarray, y: np.ndarray) -> float:
    """How far the points (x, y) are from the curve's lines at most."""
    ends = np.column_stack([curve.x, curve.y])
    start, step = ends[:-1], np.diff(ends, axis=0)
    points = np.column_stack([x, y])
    along = ((points[:, None] - start) * step).sum(axis=2) / np.maximum((step**2).sum(axis=1), 1e-30)
    nearest = start + np.clip(along, 0, 1)[..., None] * step
    return float(np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1).max())


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_areas_are_those_of_scikit_learn(decimals: int) -> None:
    truth, scores = sample(5_000, decimals)
    roc, pr = curves.roc(truth, scores), curves.precision_recall(truth, scores)
    assert roc is not None
    assert pr is not None
    assert roc.area == pytest.approx(roc_auc_score(truth, scores))
    assert pr.area == pytest.approx(average_precision_score(truth, scores))
    assert roc.chance == 0.5
    assert pr.chance == pytest.approx(truth.mean())


@pytest.mark.parametrize("events", [12, 3_000])
def test_few_points_follow_the_whole_roc_curve(events: int) -> None:
    truth, scores = sample(events)
    curve = curves.roc(truth, scores)
    assert curve is not None
    x, y, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert len(curve.x) <= curves.MOST_POINTS
    assert furthest(curve, x, y) < 0.002
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize("events", [12, 3_000])
def test_few_points_follow_the_whole_precision_recall_curve(events: int) -> None:
    truth, scores = sample(events)
    curve = curves.precision_recall(truth, scores)
    assert curve is not None
    precision, recall, _ = precision_recall_curve(truth, scores, drop_intermediate=False)
    reached = np.flatnonzero(recall == 1.0)[-1]
    assert len(curve.x) <= curves.MOST_POINTS
    assert furthest(curve, recall[reached:], precision[reached:]) < 0.01


def test_a_curve_of_very_many_events_is_looked_at_evenly_along_its_length() -> None:
    truth, scores = sample(60_000)
    curve = curves.roc(truth, scores)
    assert curve is not None
    x, y, _ = roc_curve(truth, scores)
    assert furthest(curve, x[::50], y[::50]) < 0.002


def test_points_on_a_line_are_left_out() -> None:
    kept = curves.telling_points(np.array([0.0, 0.2, 0.5, 1.0]), np.array([0.0, 0.2, 0.9, 0.9]))
    assert kept.tolist() == [0, 1, 2, 3]
    assert curves.telling_points(np.linspace(0, 1, 50), np.linspace(0, 1, 50)).tolist() == [0, 49]


@pytest.mark.parametrize("kind", [True, False])
def test_events_of_one_kind_have_no_roc_curve(kind: bool) -> None:
    assert curves.roc(np.full(4, kind), np.linspace(0, 1, 4)) is None


def test_no_positive_event_gives_no_precision_recall_curve() -> None:
    assert curves.precision_recall(np.zeros(4, dtype=bool), np.linspace(0, 1, 4)) is None
    assert curves.precision_recall(np.zeros(0, dtype=bool), np.zeros(0)) is None


def test_events_without_a_score_are_left_out() -> None:
    curve = curves.roc(np.array([True, False, True]), np.array([0.9, 0.1, np.nan]))
    assert curve is not None
    assert curve.area == 1.0


def test_a_reliability_diagram_counts_what_came_true() -> None:
    said = np.array([0.05, 0.05, 0.95, 1.0, np.nan])
    found = curves.reliability(said, np.array([False, True, True, True, True]))
    assert found is not None
    low, high = found.bins
    assert (low.start, low.end, low.events, low.share) == (0.0, 0.1, 2, 0.5)
    assert (high.start, high.events, high.share) == (0.9, 2, 1.0)
    assert low.low < 0.5 < low.high
    assert found.events == 4
    assert found.error == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    truth, said = sample(500)
    found = curves.reliability(said, truth)
    assert found is not None
    assert found.brier == pytest.approx(brier_score_loss(truth, said))
    assert sum(each.events for each in found.bins) == 500


def test_no_probability_gives_no_reliability_diagram() -> None:
    assert curves.reliability(np.full(3, np.nan), np.ones(3)) is None


def test_residuals_are_counted_and_set_against_the_normal_distribution() -> None:
    random = np.random.default_rng(7)
    truth = random.normal(size=4_000)
    found = curves.residuals(truth, truth + random.normal(1.0, 2.0, size=4_000))
    assert found is not None
    assert sum(found.counts) == found.events == 4_000
    assert found.mean == pytest.approx(1.0, abs=0.1)
    assert found.deviation == pytest.approx(2.0, abs=0.1)
    assert len(found.edges) == len(found.counts) + 1
    assert len(found.expected) == len(found.observed) == curves.MOST_POINTS
    middle = np.abs(np.array(found.expected)) < 1.5
    straight = 1.0 + 2.0 * np.array(found.expected)
    assert np.array(found.observed)[middle] == pytest.approx(straight[middle], abs=0.2)


def test_a_regression_that_is_always_right_has_a_histogram_all_the_same() -> None:
    found = curves.residuals(np.arange(3.0), np.arange(3.0))
    assert found is not None
    assert sum(found.counts) == 3
    assert found.deviation == 0.0


def test_residuals_that_differ_by_rounding_alone_have_room_on_both_sides() -> None:
    truth = np.random.default_rng(2).normal(size=100)
    found = curves.residuals(truth, truth + 2.0)
    assert found is not None
    assert sum(found.counts) == 100
    assert (found.counts[0], found.counts[-1]) == (0, 0)


def test_values_that_are_not_finite_are_no_residuals() -> None:
    assert curves.residuals(np.array([np.nan]), np.array([1.0])) is None
