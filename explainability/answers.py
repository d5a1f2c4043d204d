"""What any model answers, as numbers that can be shared out among its features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas.formats import Model
from atlas.metrics import Needs
from atlas.vocabulary import Label, Task
from explainability.attribution import (
    Answer,
    Attribution,
    ImpossibleError,
    Subject,
    as_columns,
    last_of_two,
    named,
)
from explainability.explained import Output

TRIED = 5
"""On so many rows is found out what a model answers; some models refuse a single one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One way to ask a model.

    Attributes:
        output: what its answers are.
        outputs: names of their columns.
        ask: gives (rows, outputs) for rows in the form that the subject's table has.
    """

    output: Output
    outputs: tuple[str, ...]
    ask: Callable[[Any], np.ndarray]


@dataclass(frozen=True, slots=True)
class _Way:
    """What a model is asked for, (rows, outputs) for rows as it gets them; it raises where it has no such answer."""

    output: Output
    ask: Callable[[Any], np.ndarray]


def answers_of(subject: Subject) -> Answers:
    """The best that the model gives: probabilities, else scores, else the value of a regression, else votes.

    Of two classes it is the answer for the last one alone.

    Raises:
        ImpossibleError: it gives none of these as numbers.
        Exception: whatever the model's own code raises.
    """
    sample = subject.prepare(subject.rows.take(slice(TRIED)).rows)
    *ways, last = _ways_of_model(subject) if isinstance(subject.estimator, Model) else _ways_of_estimator(subject)
    for way in ways:
        try:
            if subject.task is Task.REGRESSION or _is_by_class(way.ask(sample), subject):
                return _answers(way, way.ask(sample).shape[1], subject)
        except (AttributeError, NotImplementedError, _AbsentError):  # what it has no method for, it cannot answer
            continue
    return _answers(last, last.ask(sample).shape[1], subject)


def answer_of(subject: Subject, attribution: Attribution) -> Answer | None:
    """The function whose values an attribution holds: what the explainer says, else what its output's name says.

    None of a model that is no estimator, and whose explainer does not say it.
    """
    if attribution.answer is not None:
        return attribution.answer
    if isinstance(subject.estimator, Model):
        return None
    if attribution.output == "probability":
        return lambda rows: _probabilities(subject, subject.given(rows))
    if attribution.output == "margin" and subject.task.is_classification:
        return lambda rows: subject.ask("decision_function", rows)
    if attribution.output == "margin":
        return lambda rows: np.log(subject.ask("predict", rows))
    return lambda rows: subject.ask("predict", rows)


class _AbsentError(Exception):
    """A model gives no such answer."""


def _answers(way: _Way, count: int, subject: Subject) -> Answers:
    return Answers(
        output=way.output,
        outputs=_names(count, subject),
        ask=lambda rows: way.ask(subject.prepare(rows)),
    )


def _names(count: int, subject: Subject) -> tuple[str, ...]:
    """Answers of a `Model` are in the manifest's order, those of an estimator in its own."""
    if isinstance(subject.estimator, Model) and count == len(subject.classes):
        return tuple(map(str, subject.classes))
    return subject.output_names(count)


def _is_by_class(answer: np.ndarray, subject: Subject) -> bool:
    """Whether there is an answer for each class, or one for the last of two, and not, say, for each pair of classes."""
    is_model = isinstance(subject.estimator, Model)
    known = len(subject.classes if is_model else subject.classes_of_the_estimator())
    return int(answer.shape[1]) == (1 if known == 2 and subject.task is not Task.MULTILABEL else known)


# Estimators


def _ways_of_estimator(subject: Subject) -> Sequence[_Way]:
    if subject.task is Task.REGRESSION:
        return (_Way("value", lambda rows: _asked(subject, "predict", rows)),)
    return (
        _Way("probability", lambda rows: _probabilities(subject, rows)),
        _Way("margin", lambda rows: _asked(subject, "decision_function", rows)),
        _Way("vote", lambda rows: _votes_of_estimator(subject, rows)),
    )


def _asked(subject: Subject, method: str, rows: Any) -> np.ndarray:
    return as_columns(getattr(subject.estimator, method)(named(subject.estimator, rows)))


def _probabilities(subject: Subject, rows: Any) -> np.ndarray:
    columns = _asked(subject, "predict_proba", rows)
    return columns if subject.task is Task.MULTILABEL else last_of_two(columns)


def _votes_of_estimator(subject: Subject, rows: Any) -> np.ndarray:
    labels = subject.estimator.predict(named(subject.estimator, rows))
    return _votes(labels, _known_classes(subject), subject.task)


def _known_classes(subject: Subject) -> Sequence[Label]:
    """The classes as the estimator knows them, which may be as numbers."""
    own = getattr(subject.estimator, "classes_", None)
    listed = own.tolist() if isinstance(own, np.ndarray) else []
    return listed if len(listed) == len(subject.classes) else subject.classes_of_the_estimator()


def _votes(labels: Any, classes: Sequence[Label], task: Task) -> np.ndarray:
    """1 for the class that is predicted; of labels, 1 for each that is."""
    predicted = np.asarray(labels)
    if task is Task.MULTILABEL:
        return np.asarray(predicted, dtype=float).reshape(len(predicted), -1)
    places = predicted.reshape(-1)
    if places.dtype.kind in "iuf" and any(isinstance(label, str) for label in classes):
        return last_of_two(np.eye(len(classes))[places.astype(int)])
    return last_of_two(np.column_stack([places == label for label in classes]).astype(float))


# Models of other formats


def _ways_of_model(subject: Subject) -> Sequence[_Way]:
    model: Model = subject.estimator

    def labels(rows: Any) -> np.ndarray:
        return model.predict(rows, ()).labels

    if subject.task is Task.REGRESSION:
        return (_Way("value", lambda rows: _numbers(labels(rows))),)
    return (
        _Way("probability", lambda rows: _probabilities_of_model(model, subject, rows)),
        _Way("margin", lambda rows: _present(model.predict(rows, (Needs.SCORES,)).scores)),
        _Way("vote", lambda rows: _votes(labels(rows), subject.classes, subject.task)),
    )


def _probabilities_of_model(model: Model, subject: Subject, rows: Any) -> np.ndarray:
    columns = _present(model.predict(rows, (Needs.PROBABILITIES,)).probabilities)
    return columns if subject.task is Task.MULTILABEL else last_of_two(columns)


def _present(answer: np.ndarray | None) -> np.ndarray:
    if answer is None:
        raise _AbsentError
    return _numbers(answer)


def _numbers(answer: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(answer, dtype=float).reshape(len(answer), -1)
    except (TypeError, ValueError) as error:
        raise ImpossibleError("The model's predictions are no numbers.") from error
