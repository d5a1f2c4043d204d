"""Which causes for an alert hold. Pure: facts in, causes out.

A cause is told once, so what names it leaves out everything that changes while it lasts: it is the kind of the rule,
the model, the tag and the metric, or the component. Where the facts tell nothing, a cause neither begins nor ends.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from atlas.alerts import Cause, Facts, Moved, Part, Rule, Standing, Verdict
from atlas.changes import Beside, MetricChange
from atlas.metrics import REGISTRY
from atlas.paired import Finding
from atlas.results import MetricValue
from atlas.watching import AlertKind

_MINUS = "\N{MINUS SIGN}"


def judge(rule: Rule, facts: Facts) -> Verdict:
    """What a rule makes of the facts in its scope. Each cause is there once, with what the newest version says."""
    newest: dict[_Subject, _Found] = {}
    for found in _looked_at(rule, facts):
        known = newest.get(found.subject)
        newest[found.subject] = found if known is None else max(known, found, key=_weight)
    return Verdict(
        causes=tuple(each.cause for each in newest.values() if each.cause),
        unknown=frozenset(each.subject.key for each in newest.values() if not each.is_known),
    )


class _Subject(NamedTuple):
    """What names a cause of a rule: nothing that changes while it lasts."""

    kind: AlertKind
    model: int | None = None
    tag: int | None = None
    metric: str = ""
    component: str = ""

    @property
    def key(self) -> str:
        """The same as a sha256, in hexadecimal."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()


class _Found(NamedTuple):
    """What one fact says of a cause: that it holds, that it does not, or nothing."""

    subject: _Subject
    version: int = 0
    cause: Cause | None = None
    is_known: bool = True


def _weight(found: _Found) -> tuple[bool, int, bool]:
    """Of several that speak of one subject, that counts which knows something, of these the newest."""
    return found.is_known, found.version, found.cause is not None


def _looked_at(rule: Rule, facts: Facts) -> Iterator[_Found]:
    if rule.kind is AlertKind.DOWN:
        yield from (_down(part) for part in facts.parts if rule.component in ("", part.name))
        return
    look = _LOOKS[rule.kind]
    for standing in facts.standings:
        if _is_in_scope(rule, standing):
            yield from look(rule, standing)


def _is_in_scope(rule: Rule, standing: Standing) -> bool:
    return (
        rule.model in (None, standing.model)
        and rule.use_case in ("", standing.use_case)
        and rule.tag in (None, standing.tag)
    )


def _down(part: Part) -> _Found:
    subject = _Subject(AlertKind.DOWN, component=part.name)
    if not part.is_down:
        return _Found(subject, is_known=part.is_down is not None)
    text = f"{part.name.capitalize()} is down"
    return _Found(
        subject, cause=Cause(kind=subject.kind, key=subject.key, text=text, why=part.why, component=part.name)
    )


def _failed(_: Rule, standing: Standing) -> Iterator[_Found]:
    subject = _Subject(AlertKind.FAILED, model=standing.model, tag=standing.tag)
    if standing.failure is None:
        yield _Found(subject, version=standing.version)
        return
    text = f"{standing.model_name} failed on {standing.data}"
    yield _holds(subject, standing, text, standing.failure)


def _metric(rule: Rule, standing: Standing) -> Iterator[_Found]:
    name = rule.metric or standing.primary_metric
    subject = _Subject(AlertKind.METRIC, model=standing.model, tag=standing.tag, metric=name)
    metric = next((each for each in standing.metrics if each.name == name), None)
    if standing.failure is not None or metric is None or metric.value is None or rule.threshold is None:
        yield _Found(subject, version=standing.version, is_known=False)
        return
    side = 1 if metric.greater_is_better else -1
    if side * metric.value >= side * rule.threshold:
        yield _Found(subject, version=standing.version)
        return
    text = f"{_title(name)} of {standing.model_name} is {_number(metric.value)} on {standing.data}"
    wanted = "at least" if metric.greater_is_better else "at most"
    why = f"{_with_interval(metric)} now; the rule wants {wanted} {rule.threshold:g}."
    yield _holds(subject, standing, text, why)


def _drop(rule: Rule, standing: Standing) -> Iterator[_Found]:
    name = rule.metric or standing.primary_metric
    subject = _Subject(AlertKind.DROP, model=standing.model, tag=standing.tag, metric=name)
    if standing.failure is not None or standing.changes is None:
        yield _Found(subject, version=standing.version, is_known=False)
        return
    change = next((each for each in standing.changes if each.metric == name), None)
    earlier = _fallen_from(change, rule.threshold or 0.0) if change else None
    if change is None or earlier is None:
        cannot_tell = change is not None and change.finding is Finding.CANNOT_TELL
        yield _Found(subject, version=standing.version, is_known=not cannot_tell)
        return
    by = earlier.difference.value or 0.0
    moved = f"{'fell' if by < 0 else 'rose'} by {_number(abs(by))}"
    text = f"{_title(name)} of {standing.model_name} {moved} on {standing.data}"
    yield _holds(subject, standing, text, _why_fallen(change, earlier))


def _fallen_from(change: MetricChange, share: float) -> Beside | None:
    """The version before, or else the best so far, if the metric is worse by at least this share of its value then."""
    worse = [each for each in (change.before, change.best) if each and each.difference.finding is Finding.WORSE]
    return next((each for each in worse if abs(each.difference.value or 0.0) >= share * abs(each.value or 0.0)), None)


def _why_fallen(change: MetricChange, earlier: Beside) -> str:
    which = "the version before" if earlier is change.before else "at its best"
    difference = earlier.difference
    interval = f" [{_number(difference.low)}, {_number(difference.high)}]" if difference.is_known else ""
    return (
        f"{_number(earlier.value)} on v{earlier.version}, {which}, and {_number(change.value)} now: a difference of "
        f"{_number(difference.value)}{interval}, more than noise."
    )


def _drift(rule: Rule, standing: Standing) -> Iterator[_Found]:
    moved = standing.moved
    of_model = _Subject(AlertKind.DRIFT, model=standing.model, tag=standing.tag)
    of_data = _Subject(AlertKind.DRIFT, tag=standing.tag)  # one cause, however many models have no reference
    if standing.failure is not None or moved is None or rule.threshold is None:
        yield from (_Found(subject, version=standing.version, is_known=False) for subject in (of_model, of_data))
        return
    subject = of_model if moved.from_training else of_data
    if moved.share <= rule.threshold:
        yield _Found(subject, version=standing.version)
        return
    why = f"{_share(moved.share)} have; the rule allows {_share(rule.threshold)}."
    yield _holds(subject, standing, _moved(moved, standing), why)


def _moved(moved: Moved, standing: Standing) -> str:
    origin = f"what {standing.model_name} was trained on" if moved.from_training else "the version before"
    return f"{_share(moved.share)} of the columns of {standing.data} have moved from {origin}"


_LOOKS: dict[AlertKind, Callable[[Rule, Standing], Iterator[_Found]]] = {
    AlertKind.METRIC: _metric,
    AlertKind.DROP: _drop,
    AlertKind.DRIFT: _drift,
    AlertKind.FAILED: _failed,
}


def _holds(subject: _Subject, standing: Standing, text: str, why: str) -> _Found:
    cause = Cause(
        kind=subject.kind,
        key=subject.key,
        text=text,
        why=why,
        model=subject.model,
        benchmark=standing.benchmark,
        metric=subject.metric,
    )
    return _Found(subject, version=standing.version, cause=cause)


def _title(metric: str) -> str:
    entry = REGISTRY.get(metric)
    return entry.title if entry else metric


def _with_interval(metric: MetricValue) -> str:
    interval = "" if metric.low is None else f" [{_number(metric.low)}, {_number(metric.high)}]"
    return f"{_number(metric.value)}{interval}"


def _number(value: float | None) -> str:
    """As pages write it: three decimals, commas between thousands, and a true minus sign."""
    return f"{value or 0.0:,.3f}".replace("-", _MINUS)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
