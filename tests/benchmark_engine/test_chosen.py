"""Which events are explained."""

import numpy as np
import pytest

from atlas.metrics import Predictions
from atlas.vocabulary import Task
from benchmark_engine.chosen import badness_of, choose, confidence_of

CLASSES = ("intact", "scratch", "dent")


def classified(count: int = 1_000, wrong: int = 60) -> tuple[np.ndarray, Predictions]:
    """True classes, of which the last is rare, and predictions that are wrong of the first events, the first surest."""
    random = np.random.default_rng(0)
    places = random.choice(3, count, p=[0.6, 0.35, 0.05])
    predicted = np.where(np.arange(count) < wrong, (places + 1) % 3, places)
    sure = 0.99 - np.arange(count) / (10 * count)
    chances = np.full((count, 3), ((1 - sure) / 2)[:, None])
    chances[np.arange(count), predicted] = sure
    names = np.array(CLASSES)
    return names[places], Predictions(labels=names[predicted], probabilities=chances, classes=CLASSES)


def test_a_fifth_are_the_worst_and_the_rest_a_fair_sample() -> None:
    truth, predictions = classified()
    chosen = choose(truth, predictions, Task.MULTICLASS, most=200)
    assert len(chosen.rows) == len(set(chosen.rows.tolist())) <= 200
    assert chosen.is_sampled.sum() == 160
    picked = chosen.rows[~chosen.is_sampled]
    assert set(range(40)) <= set(chosen.rows.tolist())
    assert picked.tolist() == sorted(picked.tolist())
    sample = truth[chosen.rows[chosen.is_sampled]]
    for name in CLASSES:
        assert abs((sample == name).mean() - (truth == name).mean()) <= 1 / 160


def test_every_beginning_is_a_fair_share() -> None:
    truth, predictions = classified(20_000, wrong=2_000)
    chosen = choose(truth, predictions, Task.MULTICLASS, most=1_000)
    beginning = chosen.is_sampled[:100]
    assert 75 <= beginning.sum() <= 85
    sample = truth[chosen.rows[:100][beginning]]
    assert (sample == "intact").mean() == pytest.approx((truth == "intact").mean(), abs=0.15)


def test_all_events_are_chosen_where_they_are_few() -> None:
    truth, predictions = classified(50, wrong=5)
    chosen = choose(truth, predictions, Task.MULTICLASS, most=1_000)
    assert sorted(chosen.rows.tolist()) == list(range(50))
    assert chosen.is_sampled.all()


def test_the_same_seed_chooses_the_same() -> None:
    truth, predictions = classified()
    one, other, different = (choose(truth, predictions, Task.MULTICLASS, most=50, seed=seed) for seed in (1, 1, 2))
    assert one.rows.tolist() == other.rows.tolist() != different.rows.tolist()


def test_a_model_that_is_always_right_has_no_worst_events() -> None:
    truth, predictions = classified(wrong=0)
    assert choose(truth, predictions, Task.MULTICLASS, most=100).is_sampled.all()


def test_a_regression_s_sample_covers_the_range_of_true_values() -> None:
    truth = np.random.default_rng(0).exponential(size=5_000)
    predictions = Predictions(labels=truth + np.where(np.arange(5_000) == 7, 9, 0.1))
    chosen = choose(truth, predictions, Task.REGRESSION, most=100)
    assert chosen.rows[~chosen.is_sampled][0] == 7
    ranges = np.searchsorted(np.quantile(truth, np.linspace(0, 1, 11)[1:-1]), truth[chosen.rows[chosen.is_sampled]])
    assert np.bincount(ranges, minlength=10).min() >= 7


def test_badness_grows_with_the_wrong_labels_of_an_event() -> None:
    truth, labels = np.array([[1, 0], [1, 1], [0, 0]]), np.array([[1, 0], [0, 0], [1, 0]])
    assert badness_of(truth, Predictions(labels=labels, classes=("a", "b")), Task.MULTILABEL).tolist() == [0, 1, 0.5]


def test_a_model_without_probabilities_has_no_confidence_but_bad_predictions() -> None:
    truth, predictions = np.array(["a", "b"]), Predictions(labels=np.array(["b", "b"]), classes=("a", "b"))
    assert np.isnan(confidence_of(predictions)).all()
    assert badness_of(truth, predictions, Task.BINARY).tolist() == [1, 0]
