"""Predictions of models that are often right, and what scikit-learn says of weighted ones."""

from importlib import import_module

import numpy as np

from atlas.metrics import Metric, Predictions
from atlas.vocabulary import Task

ROWS = 150


def sample(task: Task, rows: int = ROWS, decimals: int = 2) -> tuple[np.ndarray, Predictions]:
    """Truth and the predictions of a model that is often right, with no more scores than are told apart."""
    random = np.random.default_rng(3)
    if task is Task.REGRESSION:
        truth = random.gamma(3.0, 2.0, rows)
        return truth, Predictions(labels=truth * random.uniform(0.5, 1.5, rows))
    if task is Task.MULTILABEL:
        truth = (random.random((rows, 3)) < 0.4).astype(int)
        scores = np.round(np.clip(0.3 + 0.4 * truth + random.normal(0, 0.2, truth.shape), 0, 1), decimals)
        return truth, Predictions(labels=(scores > 0.5).astype(int), probabilities=scores, classes=("a", "b", "c"))
    classes = 2 if task is Task.BINARY else 4
    true = random.integers(0, classes, rows)
    parts = random.gamma(1.0, 1.0, (rows, classes)) + 1.5 * np.eye(classes)[true]
    chances = np.round(parts / parts.sum(axis=1, keepdims=True), decimals)
    chances[:, -1] = 1 - chances[:, :-1].sum(axis=1)
    names = tuple("abcd"[:classes])
    return np.array(names)[true], Predictions(
        labels=np.array(names)[chances.argmax(axis=1)], probabilities=chances, classes=names
    )


def by_scikit_learn(entry: Metric, truth: np.ndarray, predictions: Predictions, weights: np.ndarray) -> float:
    arguments = dict(entry.arguments)
    if entry.takes_labels:
        arguments["labels"] = list(range(len(predictions.classes)))
    function = getattr(import_module("sklearn.metrics"), entry.function)
    result = function(*entry.arguments_for(truth, predictions), sample_weight=weights, **arguments)
    return float(result if entry.element is None else result[entry.element])
