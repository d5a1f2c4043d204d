"""How the answers of a benchmark spread, as charts on cards: curves and calibration of classes, residuals else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from django.conf import settings

from atlas import curves
from atlas.vocabulary import Task
from atlas_web import answers, predicted, words
from atlas_web.answers import Answers
from atlas_web.evidence import NO_PREDICTIONS, NoEvidenceError
from atlas_web.objects import content
from storage.queries import BenchmarkPage
from ui import charts, formats

MOST_MAIN = 3
"""So many curves can be told apart; they are those with the smallest areas."""
MOST_LINES = 30
"""So many classes have a curve, those with the smallest areas."""
HELD = 0.01
"""Probabilities that are off by less than this on average are said to hold."""
KEPT = 256
"""Of so many benchmarks each process keeps the cards at hand: they are a few kilobytes each."""
UNASKED = "The model gave classes alone: it is asked for more only where one of its metrics needs that."


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart on its card; `text` says how it is read."""

    id: str
    title: str
    text: str
    chart: charts.Curves | charts.Reliability | charts.Histogram | charts.Quantiles


def panels(page: BenchmarkPage) -> tuple[Panel, ...]:
    """What there is to show of a benchmark.

    Raises:
        NoEvidenceError: no predictions were kept, or the model gave nothing that a curve can be made of.
        PredictionsError: the file holds none.
        AtlasError: the object cannot be read, as `atlas_web.objects.content` says.
    """
    shown = page.benchmark
    if not shown.predictions_key:
        raise NoEvidenceError(NO_PREDICTIONS)
    classes = tuple(map(str, page.manifest.classes))
    found = _panels(
        str(settings.ATLAS_OBJECT_STORE), shown.predictions_key, Task(shown.model.task), classes, page.manifest.target
    )
    if not found:
        raise NoEvidenceError(UNASKED)
    return found


@lru_cache(KEPT)
def _panels(_store: str, key: str, task: Task, classes: tuple[str, ...], target: str) -> tuple[Panel, ...]:
    """The cards of the predictions that this store has below this key, which never change."""
    stored = content(key)
    if task is Task.REGRESSION:
        return tuple(_of_numbers(predicted.read(stored, task), target))
    found = answers.read(stored, task, classes)
    return (*_of_ranking(found, task), *_of_calibration(found, stored, task))


def _of_numbers(found: predicted.Predicted, target: str) -> Iterator[Panel]:
    spread = curves.residuals(found.truth, found.predicted)
    if spread is None:
        return
    axis = f"Predicted less true {target}"
    middle, width = formats.figure(spread.mean), formats.figure(spread.deviation)
    bars = charts.Histogram(axis, spread.edges, spread.counts)
    line = charts.Quantiles(axis, spread.expected, spread.observed, spread.mean, spread.deviation)
    yield Panel("residual-histogram", "Residuals", f"Their mean is {middle}, their standard deviation {width}.", bars)
    yield Panel("residual-quantiles", "Are the residuals normal?", "On the dotted line they are.", line)


def _of_ranking(found: Answers, task: Task) -> Iterator[Panel]:
    """ROC and precision-recall curves."""
    lines = _lines(found, curves.roc)
    if lines:
        chart = charts.Curves("False positive rate", "True positive rate", "AUC", True, lines)
        yield Panel("roc", "ROC curve", _areas("AUC", lines, task, found), chart)
    lines = _lines(found, curves.precision_recall)
    if lines:
        chart = charts.Curves("Recall", "Precision", "AP", False, lines)
        yield Panel("precision-recall", "Precision and recall", _areas("Average precision", lines, task, found), chart)


def _lines(found: Answers, draw: Callable[[np.ndarray, np.ndarray], curves.Curve | None]) -> list[charts.Line]:
    """A curve for each class, those with the smallest areas first."""
    if found.ranking is None:
        return []
    columns = zip(found.classes, found.truth.T, found.ranking.T, strict=True)
    drawn = [(name, curve) for name, truth, scores in columns if (curve := draw(truth, scores)) is not None]
    ordered = sorted(drawn, key=lambda each: each[1].area)[:MOST_LINES]
    return [
        charts.Line(name, curve.x, curve.y, curve.area, curve.chance, main=place < MOST_MAIN)
        for place, (name, curve) in enumerate(ordered)
    ]


def _areas(measure: str, lines: list[charts.Line], task: Task, found: Answers) -> str:
    if task is Task.BINARY:
        return f"{measure} of {lines[0].name} is {formats.num(lines[0].area)}; the dotted line is guessing."
    of = "each class against the rest" if task is Task.MULTICLASS else "each label"
    mean = formats.num(float(np.mean([line.area for line in lines])))
    cut = len(found.classes) - len(lines)
    left_out = f" {words.plural(cut, 'class', 'classes')} left out." if cut else ""
    worst = f" The {MOST_MAIN} worst are in colour." if len(lines) > MOST_MAIN else ""
    return f"{measure} of {of}, {mean} on average.{worst}{left_out}"


def _of_calibration(found: Answers, stored: bytes, task: Task) -> Iterator[Panel]:
    if found.probabilities is None:
        return
    if task is Task.MULTICLASS:
        events = predicted.read(stored, task)
        known, x, y = curves.reliability(events.confidence, events.mistakes == 0), "Confidence", "Share that is right"
    else:
        x = f"Probability of {found.classes[0]}" if task is Task.BINARY else "Probability of a label"
        known, y = curves.reliability(found.probabilities.ravel(), found.truth.ravel()), "Share that came true"
    if known is not None:
        text = f"{_said(known)} Expected calibration error {formats.num(known.error)}{_brier(known, task)}."
        yield Panel("calibration", "Are the probabilities right?", text, _diagram(known, x, y))


def _brier(known: curves.Reliability, task: Task) -> str:
    """The Brier score; not of several classes, where that of the confidence alone is not what the name means."""
    return "" if task is Task.MULTICLASS else f", Brier score {formats.num(known.brier)}"


def _said(known: curves.Reliability) -> str:
    """Which way the probabilities are off, if they are."""
    mean = sum(each.events * (each.mean - each.share) for each in known.bins) / known.events
    if abs(mean) < HELD:
        return "On the dotted line, they hold."
    return f"On average they are {formats.num(abs(mean))} too {'high' if mean > 0 else 'low'}."


def _diagram(known: curves.Reliability, x_axis: str, y_axis: str) -> charts.Reliability:
    bins = known.bins
    return charts.Reliability(
        x_axis=x_axis,
        y_axis=y_axis,
        means=[each.mean for each in bins],
        shares=[each.share for each in bins],
        low=[each.low for each in bins],
        high=[each.high for each in bins],
        starts=[each.start for each in bins],
        ends=[each.end for each in bins],
        events=[each.events for each in bins],
    )
