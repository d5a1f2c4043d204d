"""What a model's own probabilities say of how good it is, where nobody has labelled the events yet."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from atlas.vocabulary import Task
from monitoring.estimation import (
    FEWEST_LABELLED,
    Answers,
    Calibration,
    Labelled,
    can_be_estimated,
    estimated,
    unjustified,
)


def events(rows: int, seed: int, *, sharpness: float = 2.0, classes: int = 3, boast: float = 1.0) -> Labelled:
    """Events whose classes are drawn by true probabilities; the model knows these, but boasts of them."""
    random = np.random.default_rng(seed)
    scores = sharpness * random.normal(size=(rows, classes))
    true = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    truth = (true.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    said = np.exp(boast * scores) / np.exp(boast * scores).sum(axis=1, keepdims=True)
    return Labelled(answers=Answers(probabilities=said, predicted=said.argmax(axis=1)), truth=truth)


def accuracy(labelled: Labelled) -> float:
    return float(accuracy_score(labelled.truth, labelled.answers.predicted))


def test_an_estimate_holds_what_the_labels_show_later() -> None:
    held = 0
    for seed in range(10):
        known, live = events(500, seed), events(300, 1_000 + seed, sharpness=1.0)
        told = estimated(known, live.answers, ["accuracy", "f1_macro"], seed=seed)
        found = accuracy(live), f1_score(live.truth, live.answers.predicted, average="macro")
        held += all((v.low or 0) <= value <= (v.high or 0) for v, value in zip(told, found, strict=True))
    assert held >= 7  # of both intervals at 95 %: fewer happen once in a hundred times


def test_a_model_that_boasts_is_not_believed() -> None:
    known, live = events(4_000, 1, boast=3.0), events(4_000, 2, sharpness=1.0, boast=3.0)
    (told,) = estimated(known, live.answers, ["accuracy"])
    boasted = live.answers.probabilities.max(axis=1).mean()
    assert told.value == pytest.approx(accuracy(live), abs=0.03)
    assert boasted > accuracy(live) + 0.15


def test_probabilities_that_are_right_are_left_alone() -> None:
    known = events(4_000, 3)
    worth = Calibration.learned(known).of(known.answers.probabilities)
    assert worth.sum(axis=1) == pytest.approx(1)
    assert np.abs(worth - known.answers.probabilities).mean() < 0.02


def test_more_events_than_are_looked_at_count_all() -> None:
    few, many = events(2_000, 5), events(30_000, 5)
    known = events(6_000, 6)
    widths = [
        (told.high or 0) - (told.low or 0) for e in (few, many) for told in estimated(known, e.answers, ["f1_macro"])
    ]
    assert widths[1] < widths[0]


@pytest.mark.parametrize(
    ("metric", "task", "can"),
    [
        ("accuracy", Task.BINARY, True),
        ("f1", Task.BINARY, True),
        ("roc_auc", Task.BINARY, False),
        ("accuracy", Task.MULTILABEL, False),
        ("r2", Task.REGRESSION, False),
        ("an author's own", Task.BINARY, False),
    ],
)
def test_what_follows_from_a_confusion_matrix_can_be_estimated(metric: str, task: Task, can: bool) -> None:
    assert can_be_estimated(metric, task) is can


def test_too_few_labels_say_nothing() -> None:
    assert str(FEWEST_LABELLED) in unjustified(events(100, 1))


def test_a_class_that_nobody_has_seen_says_nothing() -> None:
    known = events(1_000, 1)
    assert "One of the classes" in unjustified(Labelled(answers=known.answers, truth=np.minimum(known.truth, 1)))


def test_data_of_another_kind_are_not_judged_by_what_is_known() -> None:
    assert "60%" in unjustified(events(1_000, 1), share_moved=0.6)
    assert not unjustified(events(1_000, 1), share_moved=0.4)


def test_who_was_wrong_the_last_time_is_not_believed_again() -> None:
    known, honest = events(2_000, 1), events(2_000, 2)
    swapped = Labelled(answers=honest.answers, truth=(honest.truth + (np.arange(2_000) % 3 == 0)) % 3)
    assert not unjustified(honest, earlier=known)
    assert "When labels came" in unjustified(swapped, earlier=known)
