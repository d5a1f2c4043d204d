"""What the model takes for what, then and now: confusion matrices, labels one by one, or numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, pstdev

from django.utils.safestring import SafeString

from atlas.intervals import Z
from atlas.paired import Difference, Finding, judged, unpaired
from atlas.results import ClassMetrics, Estimate, MetricValue
from atlas_web import confusions
from atlas_web.drops import card
from atlas_web.drops.card import Reason
from storage.queries import StoredResult
from ui import charts, components, formats

MOST_CLASSES = 12
"""Of more classes the cells that moved are listed instead of the matrix."""
MOST_ROWS = 10


# Confusion matrices -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A kind of mistake: what is taken for what, and for which share of the truth, then and now."""

    truth: str
    predicted: str
    before: str
    now: str
    change: SafeString


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """The card of two confusion matrices; without `shifts`, `cells` are those that moved most."""

    finding: str
    classes: Sequence[str]
    shifts: Sequence[Sequence[components.Shift]]
    cells: Sequence[Cell]
    reason: Reason | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mistake:
    """A cell off the diagonal of two matrices, with its shares of the row."""

    truth: str
    predicted: str
    before: float
    now: float
    shift: components.Shift


def confusion(then: StoredResult, now: StoredResult) -> Confusion | None:
    """How both matrices differ; None where one has none."""
    if then.confusion_matrix is None or now.confusion_matrix is None:
        return None
    (classes, before), (names, after) = then.confusion_matrix, now.confusion_matrix
    if classes != names:
        problem = f"v{then.version} has other classes than v{now.version}, so the matrices do not compare."
        return Confusion(finding=problem, classes=(), shifts=(), cells=(), reason=None, problem=problem)
    shifts = confusions.shifts(before, after, counts=False)
    mistakes = sorted(_mistakes(classes, before, after, shifts), key=lambda each: -abs(each.shift.share or 0.0))
    more = next((each for each in mistakes if each.shift.tone == "bad"), None)
    reason = Reason(text=_taken(more), card="confusion") if more else None
    return Confusion(
        finding=reason.text if reason else "No kind of mistake became more frequent by more than noise.",
        classes=classes,
        shifts=shifts if len(classes) <= MOST_CLASSES else (),
        cells=[_cell(each) for each in mistakes[:MOST_ROWS]] if len(classes) > MOST_CLASSES else (),
        reason=reason,
    )


def _mistakes(
    classes: Sequence[str],
    before: confusions.Counts,
    after: confusions.Counts,
    shifts: Sequence[Sequence[components.Shift]],
) -> Iterator[_Mistake]:
    for truth, older, newer, moved in zip(classes, before, after, shifts, strict=True):
        for predicted, old, new, shift in zip(classes, older, newer, moved, strict=True):
            if not shift.diagonal:
                shares = (old / max(sum(older), 1), new / max(sum(newer), 1))
                yield _Mistake(truth=truth, predicted=predicted, before=shares[0], now=shares[1], shift=shift)


def _taken(mistake: _Mistake) -> str:
    shares = f"{formats.share(mistake.now)} of it instead of {formats.share(mistake.before)}"
    return f"{mistake.truth} is taken for {mistake.predicted} more often: {shares}."


def _cell(mistake: _Mistake) -> Cell:
    shift = mistake.shift
    points = None if shift.share is None else 100 * shift.share
    return Cell(
        truth=mistake.truth,
        predicted=mistake.predicted,
        before=formats.share(mistake.before),
        now=formats.share(mistake.now),
        change=components.delta(points, shift.noise, 1, better_down=True, unit=f"{formats.NARROW_SPACE}pp"),
    )


# Labels -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """How well a label is recognised: precision and recall now, and their changes."""

    name: str
    recall: SafeString
    recall_change: SafeString
    precision: SafeString
    precision_change: SafeString
    rows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The card of labels one by one, that first whose recall fell most."""

    finding: str
    rows: Sequence[Label]
    hidden: int
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    """A label in both results, with the changes of its recall and precision."""

    before: ClassMetrics
    now: ClassMetrics
    recall: Difference
    precision: Difference

    @property
    def name(self) -> str:
        return str(self.now.label)

    @property
    def worst(self) -> Difference:
        """That of both changes that is the larger fall."""
        return min(self.recall, self.precision, key=lambda change: change.value or 0.0)


def labels(then: StoredResult, now: StoredResult) -> Labels | None:
    """Each label that both results have; None where there are none."""
    earlier = {str(each.label): each for each in then.classes}
    pairs = [(earlier[str(each.label)], each) for each in now.classes if str(each.label) in earlier]
    if not pairs:
        return None
    changes = judged(
        [_difference(old, new, part) for old, new in pairs for part in ("recall", "precision")], greater_is_better=True
    )
    both = [
        _Both(before=old, now=new, recall=recall, precision=precision)
        for (old, new), recall, precision in zip(pairs, changes[::2], changes[1::2], strict=True)
    ]
    both.sort(key=lambda each: each.worst.value or 0.0)
    reason = next((_reason(each) for each in both if _fell(each)), None)
    return Labels(
        finding=reason.text if reason else "No label is recognised worse than before by more than noise.",
        rows=[_label(each) for each in both[:MOST_ROWS]],
        hidden=max(len(both) - MOST_ROWS, 0),
        reason=reason,
    )


def _difference(before: ClassMetrics, now: ClassMetrics, part: str) -> Difference:
    return unpaired(_value(getattr(before, part)), _value(getattr(now, part)))


def _value(estimate: Estimate) -> MetricValue:
    return MetricValue(name="share", greater_is_better=True, **estimate.model_dump())


def _fell(both: _Both) -> bool:
    return card.noise(both.worst) is False and (both.worst.value or 0.0) < 0


def _reason(both: _Both) -> Reason:
    part = "recall" if both.worst is both.recall else "precision"
    before, now = (getattr(each, part).value for each in (both.before, both.now))
    return Reason(text=f"{both.name}: {part} {card.moved(before, now)}, more than noise.", card="labels")


def _label(both: _Both) -> Label:
    now = both.now
    return Label(
        name=both.name,
        recall=components.interval(now.recall.value, now.recall.low, now.recall.high, above="md"),
        recall_change=card.change(both.recall, greater_is_better=True),
        precision=components.interval(now.precision.value, now.precision.low, now.precision.high, above="md"),
        precision_change=card.change(both.precision, greater_is_better=True),
        rows=formats.num(now.rows, 0),
    )


# Numbers ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """The card of a regression: samples of both, each with its title, its id and its chart."""

    finding: str
    samples: Sequence[tuple[str, str, charts.Residuals]]
    reason: Reason | None


Sample = tuple[list[float], list[float]]
"""True and predicted values."""


def residuals(then: StoredResult, now: StoredResult) -> Residuals | None:
    """Predicted against true values of both; None where one has none."""
    if not (then.residuals and now.residuals and then.residuals[0] and now.residuals[0]):
        return None
    target = now.manifest.target
    before, after = _bias(then.residuals), _bias(now.residuals)
    text = (
        f"Predictions are {_off(before)} on v{then.version} and {_off(after)} on v{now.version}, on average over a "
        "sample that is even over the true values."
    )
    is_sure = judged([unpaired(before, after)], greater_is_better=True)[0].finding in (Finding.BETTER, Finding.WORSE)
    return Residuals(
        finding=text,
        samples=[
            (f"On v{each.version}", f"residuals-{each.version}", charts.Residuals(*each.residuals, target=target))
            for each in (then, now)
            if each.residuals
        ],
        reason=Reason(text=text, card="residuals") if is_sure else None,
    )


def _bias(sample: Sample) -> MetricValue:
    """By how much predictions are too high on average, with its 95 % interval by the normal distribution."""
    off = [predicted - truth for truth, predicted in zip(*sample, strict=True)]
    mean, half = fmean(off), Z * pstdev(off) / sqrt(len(off))
    return MetricValue(name="bias", value=mean, greater_is_better=True, low=mean - half, high=mean + half)


def _off(bias: MetricValue) -> str:
    value = bias.value or 0.0
    return f"too {'high' if value > 0 else 'low'} by {formats.figure(abs(value))}"
