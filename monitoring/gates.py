"""Whether a model passes the rules of a gate, and why, in sentences with the numbers. Pure.

What is not known is not passed: a model that was not benchmarked yet, or whose drift nobody measured, has to wait.
"""

from collections.abc import Callable, Iterator, Sequence
from math import floor, isfinite, log10

from atlas.gates import BesideChampion, Facts, OnVersion, Rule
from atlas.metrics import REGISTRY
from atlas.paired import Difference, Finding, Method
from atlas.results import MetricValue
from atlas.watching import GateCheck, GateKind

MOST_ALERTS = 3
"""So many open alerts are told of in a sentence."""
THOUSAND, HUNDREDTH = 1_000, 0.01
MOST_DIGITS = 15
"""Beyond these, two numbers are written alike."""


def check(rules: Sequence[Rule], facts: Facts) -> list[GateCheck]:
    """The checks of a gate, in the order of its rules: one for each version, or comparison, that a rule is about.

    Args:
        rules: of the gate; one without any has no checks, and everybody passes.
        facts: of the model. `beside` holds a comparison for each metric that a rule of the kind `NOT_WORSE` asks for.
    """
    return [found for rule in rules for found in _CHECKS[rule.kind](rule, facts)]


def _checked(rule: Rule, passed: bool, sentence: str) -> GateCheck:
    return GateCheck(kind=rule.kind, passed=passed, sentence=sentence)


# On the newest version of each tag ----------------------------------------------------------------------------------


def _benchmarked(rule: Rule, facts: Facts) -> Iterator[GateCheck]:
    for version in facts.versions:
        yield _missing(rule, version) or _checked(rule, True, f"It has a result on {_on(version)}.")


def _missing(rule: Rule, version: OnVersion) -> GateCheck | None:
    """The check that fails because there is no result; None if there is one."""
    if version.version is None:
        return _checked(rule, False, f"It has no result on {version.tag}: there is no version of it yet.")
    if version.missing:
        return _checked(rule, False, f"It has no result on {_on(version)}: {version.missing.rstrip('.')}.")
    return None


def _metric(rule: Rule, facts: Facts) -> Iterator[GateCheck]:
    name = rule.metric or facts.primary_metric
    for version in facts.versions:
        yield _missing(rule, version) or _measured(rule, name, version)


def _measured(rule: Rule, name: str, version: OnVersion) -> GateCheck:
    title, asked = _title(name), rule.threshold
    found = next((metric for metric in version.metrics if metric.name == name), None)
    if found is None:
        return _checked(rule, False, f"{title} was not measured on {_on(version)}.")
    if found.value is None or not isfinite(found.value):
        why = f": {found.reason.rstrip('.')}" if found.reason else ""
        return _checked(rule, False, f"{title} has no value on {_on(version)}{why}.")
    if asked is None:
        return _checked(rule, False, f"The rule does not say what {title} has to be.")
    passed = found.value >= asked if found.greater_is_better else found.value <= asked
    bound = "at least" if found.greater_is_better else "at most"
    value, threshold = _apart(found.value, asked)
    return _checked(
        rule, passed, f"{title} is {value}{_interval(found)} on {_on(version)}, {bound} {threshold} is asked."
    )


def _drift(rule: Rule, facts: Facts) -> Iterator[GateCheck]:
    for version in facts.versions:
        yield _missing(rule, version) or _moved(rule, version)


def _moved(rule: Rule, version: OnVersion) -> GateCheck:
    share, most = version.share_moved, rule.threshold
    if share is None or most is None:
        why = version.drift_unknown.rstrip(".") or "its drift was not measured"
        return _checked(rule, False, f"How far {_on(version)} lies from the training data is not known: {why}.")
    moved, asked = _apart(100 * share, 100 * most)
    what = f"{moved} % of the columns of {_on(version)} have moved from the training data"
    told = f"{what}, at most {asked} % may."
    return _checked(rule, share <= most, told)


# Beside the champion, and alerts ------------------------------------------------------------------------------------


def _not_worse(rule: Rule, facts: Facts) -> Iterator[GateCheck]:
    if not facts.champion:
        yield _checked(rule, True, "There is no champion yet to compare it with.")
        return
    if facts.is_champion:
        yield _checked(rule, True, "It is the champion itself.")
        return
    name = rule.metric or facts.primary_metric
    compared = [each for each in facts.beside if each.metric == name]
    if not compared:
        yield _checked(rule, False, f"It has no dataset in common with the champion {facts.champion}.")
    for each in compared:
        yield _beside(rule, each, facts.champion)


def _beside(rule: Rule, found: BesideChampion, champion: str) -> GateCheck:
    difference = found.difference
    if found.missing or difference.value is None:
        why = found.missing or f"{_title(found.metric)} of both is not known on {_on(found)}."
        return _checked(rule, False, f"It cannot be compared with the champion {champion}: {why}")
    is_worse = (difference.value < 0) == found.greater_is_better and difference.value != 0
    passed = not is_worse if difference.finding is Finding.CANNOT_TELL else difference.finding is not Finding.WORSE
    how = f", paired on {difference.rows:,} events" if difference.method is Method.PAIRED else ""
    told = f"{_title(found.metric)} is {_change(difference)} that of the champion {champion} on {_on(found)}{how}"
    return _checked(rule, passed, f"{told}: {_verdict(difference.finding, is_worse=is_worse)}.")


def _change(difference: Difference) -> str:
    """By how much, and its interval: `0.012 higher [-0.004, 0.028] than`."""
    value, low, high = difference.value or 0.0, difference.low, difference.high
    decimals = _decimals(max(abs(each) for each in (value, low, high) if each is not None))
    interval = "" if low is None or high is None else f" [{_fixed(low, decimals)}, {_fixed(high, decimals)}]"
    if value == 0:
        return f"the same{interval} as"
    return f"{_fixed(abs(value), decimals)} {'lower' if value < 0 else 'higher'}{interval} than"


def _verdict(finding: Finding, *, is_worse: bool) -> str:
    if finding is Finding.CANNOT_TELL:
        return f"{'worse' if is_worse else 'not worse'}, and nothing tells whether that is noise"
    return "within noise" if finding is Finding.WITHIN_NOISE else f"{finding} by more than noise"


def _no_alert(rule: Rule, facts: Facts) -> Iterator[GateCheck]:
    if not facts.alerts:
        yield _checked(rule, True, "No alert about it is open.")
        return
    number = len(facts.alerts)
    told = "; ".join(text.rstrip(".") for text in facts.alerts[:MOST_ALERTS])
    more = f"; and {number - MOST_ALERTS} more" if number > MOST_ALERTS else ""
    yield _checked(
        rule, False, f"{number} {'alert about it is' if number == 1 else 'alerts about it are'} open: {told}{more}."
    )


_CHECKS: dict[GateKind, Callable[[Rule, Facts], Iterator[GateCheck]]] = {
    GateKind.BENCHMARKED: _benchmarked,
    GateKind.METRIC: _metric,
    GateKind.NOT_WORSE: _not_worse,
    GateKind.DRIFT: _drift,
    GateKind.NO_ALERT: _no_alert,
}


# Words and numbers --------------------------------------------------------------------------------------------------


def _on(found: OnVersion | BesideChampion) -> str:
    return f"{found.tag} v{found.version}"


def _title(name: str) -> str:
    entry = REGISTRY.get(name)
    return entry.title if entry else name


def _number(value: float, digits: int = 3) -> str:
    is_large = THOUSAND <= abs(value) < 1e9
    text = f"{value:,.{max(digits - 4, 0)}f}" if is_large else f"{value:.{digits}g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _decimals(largest: float) -> int:
    """How many decimals tell three digits of the largest of some numbers: three of most, and none of thousands."""
    if largest >= THOUSAND or not largest:
        return 0
    return max(3, 2 - floor(log10(largest))) if largest < HUNDREDTH else 3


def _fixed(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _apart(value: float, other: float) -> tuple[str, str]:
    """Both numbers in as many digits as it takes to tell them apart, three at least."""
    for digits in range(3, MOST_DIGITS):
        one, two = _number(value, digits), _number(other, digits)
        if one != two or value == other:
            return one, two
    return repr(value), repr(other)


def _interval(metric: MetricValue) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return f" [{_number(metric.low)}, {_number(metric.high)}]"
