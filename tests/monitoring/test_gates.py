"""What a gate says of a model: each kind of rule, in sentences with the numbers."""

from typing import Any

import pytest

from atlas.gates import BesideChampion, Facts, OnVersion, Outcome, Rule
from atlas.paired import Difference, Finding, Method
from atlas.results import MetricValue
from atlas.watching import GateKind
from monitoring.gates import check

MEASURED = (
    MetricValue(name="f1", value=0.91, low=0.88, high=0.93, greater_is_better=True),
    MetricValue(name="log_loss", value=0.31, greater_is_better=False),
    MetricValue(name="rmse", value=12345.6, greater_is_better=False),
    MetricValue(name="roc_auc", value=None, reason="There is one class only.", greater_is_better=True),
)
CRASH = OnVersion(tag="crash", version=7, metrics=MEASURED, share_moved=0.1)
QUEUED = OnVersion(tag="winter", version=2, missing="the benchmark waits in the queue")
EMPTY = OnVersion(tag="summer", version=None)
CHAMPION = "Forest-1.0.0-1"
MINUS = "\N{MINUS SIGN}"


def facts(*versions: OnVersion, **more: Any) -> Facts:
    return Facts(model="Forest-2.0.0-2", primary_metric="f1", versions=versions or (CRASH,), **more)


def said(rule: Rule, known: Facts) -> list[tuple[bool, str]]:
    return [(each.passed, each.sentence) for each in check([rule], known)]


def beside(value: float, finding: Finding, *, greater: bool = True, **changes: Any) -> Facts:
    known: dict[str, Any] = {"low": value - 0.02, "high": value + 0.02, "method": Method.PAIRED, "rows": 1234}
    difference = Difference(value=value, finding=finding, **{**known, **changes})
    metric = "f1" if greater else "log_loss"
    compared = BesideChampion(tag="crash", version=7, metric=metric, greater_is_better=greater, difference=difference)
    return facts(champion=CHAMPION, beside=(compared,))


def test_benchmarked_wants_a_result_on_the_newest_version_of_each_tag() -> None:
    assert said(Rule(kind=GateKind.BENCHMARKED), facts(CRASH, QUEUED, EMPTY)) == [
        (True, "It has a result on crash v7."),
        (False, "It has no result on winter v2: the benchmark waits in the queue."),
        (False, "It has no result on summer: there is no version of it yet."),
    ]


@pytest.mark.parametrize(
    ("metric", "threshold", "expected"),
    [
        ("", 0.85, (True, "F1 is 0.91 [0.88, 0.93] on crash v7, at least 0.85 is asked.")),
        ("f1", 0.91, (True, "F1 is 0.91 [0.88, 0.93] on crash v7, at least 0.91 is asked.")),
        ("f1", 0.91001, (False, "F1 is 0.91 [0.88, 0.93] on crash v7, at least 0.91001 is asked.")),
        ("log_loss", 0.35, (True, "Log loss is 0.31 on crash v7, at most 0.35 is asked.")),
        ("log_loss", 0.3, (False, "Log loss is 0.31 on crash v7, at most 0.3 is asked.")),
        ("rmse", 12345, (False, "rmse is 12,346 on crash v7, at most 12,345 is asked.")),
        ("roc_auc", 0.5, (False, "ROC AUC has no value on crash v7: There is one class only.")),
        ("cost", 1.0, (False, "cost was not measured on crash v7.")),
    ],
)
def test_a_metric_has_to_be_as_good_as_the_threshold(metric: str, threshold: float, expected: tuple[bool, str]) -> None:
    assert said(Rule(kind=GateKind.METRIC, metric=metric, threshold=threshold), facts()) == [expected]


def test_a_metric_is_not_passed_where_there_is_no_result() -> None:
    rule = Rule(kind=GateKind.METRIC, threshold=0.5)
    assert [passed for passed, _ in said(rule, facts(CRASH, QUEUED, EMPTY))] == [True, False, False]


@pytest.mark.parametrize(("share", "most", "passed"), [(0.1, 0.1, True), (0.25, 0.2, False)])
def test_drift_may_reach_the_threshold(share: float, most: float, passed: bool) -> None:
    version = CRASH.model_copy(update={"share_moved": share})
    moved, asked = (f"{100 * each:.0f} %" for each in (share, most))
    told = f"{moved} of the columns of crash v7 have moved from the training data, at most {asked} may."
    assert said(Rule(kind=GateKind.DRIFT, threshold=most), facts(version)) == [(passed, told)]


@pytest.mark.parametrize(
    ("why", "told"),
    [("", "its drift was not measured"), ("The bundle has no reference.", "The bundle has no reference")],
)
def test_drift_that_is_not_known_is_not_passed(why: str, told: str) -> None:
    version = CRASH.model_copy(update={"share_moved": None, "drift_unknown": why})
    assert said(Rule(kind=GateKind.DRIFT, threshold=1.0), facts(version)) == [
        (False, f"How far crash v7 lies from the training data is not known: {told}.")
    ]


def test_open_alerts_are_told_of() -> None:
    rule = Rule(kind=GateKind.NO_ALERT)
    assert said(rule, facts()) == [(True, "No alert about it is open.")]
    assert said(rule, facts(alerts=("F1 fell.",))) == [(False, "1 alert about it is open: F1 fell.")]
    assert said(rule, facts(alerts=("a", "b", "c", "d"))) == [
        (False, "4 alerts about it are open: a; b; c; and 1 more.")
    ]


NOT_WORSE = Rule(kind=GateKind.NOT_WORSE)


def test_without_a_champion_and_against_oneself_everybody_passes() -> None:
    assert said(NOT_WORSE, facts()) == [(True, "There is no champion yet to compare it with.")]
    own = facts(champion="Forest-2.0.0-2", is_champion=True)
    assert said(NOT_WORSE, own) == [(True, "It is the champion itself.")]


@pytest.mark.parametrize(
    ("value", "finding", "greater", "passed"),
    [
        (0.05, Finding.BETTER, True, True),
        (-0.05, Finding.WORSE, True, False),
        (-0.01, Finding.WITHIN_NOISE, True, True),
        (-0.01, Finding.CANNOT_TELL, True, False),
        (0.01, Finding.CANNOT_TELL, True, True),
        (0.0, Finding.CANNOT_TELL, True, True),
        (0.05, Finding.WORSE, False, False),
        (-0.05, Finding.BETTER, False, True),
        (0.01, Finding.CANNOT_TELL, False, False),
        (-0.01, Finding.CANNOT_TELL, False, True),
    ],
)
def test_it_must_not_be_worse_than_the_champion_by_more_than_noise(
    value: float, finding: Finding, greater: bool, passed: bool
) -> None:
    rule = Rule(kind=GateKind.NOT_WORSE, metric="" if greater else "log_loss")
    assert [each for each, _ in said(rule, beside(value, finding, greater=greater))] == [passed]


def test_a_comparison_says_by_how_much_and_how_it_was_made() -> None:
    worse = (
        f"F1 is 0.050 lower [{MINUS}0.070, {MINUS}0.030] than that of the champion {CHAMPION} on crash v7, "
        "paired on 1,234 events: worse by more than noise."
    )
    assert said(NOT_WORSE, beside(-0.05, Finding.WORSE)) == [(False, worse)]
    unsure = beside(0.01, Finding.CANNOT_TELL, low=None, high=None, method=Method.UNPAIRED, rows=0)
    told = (
        "F1 is 0.010 higher than that of the champion Forest-1.0.0-1 on crash v7: "
        "not worse, and nothing tells whether that is noise."
    )
    assert said(NOT_WORSE, unsure) == [(True, told)]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0025, "0.00250 higher than"),
        (1234.5, "1,234 higher than"),
        (-12.3456, "12.346 lower than"),
        (0.0, "the same as"),
    ],
)
def test_a_difference_of_any_size_can_be_read(value: float, told: str) -> None:
    known = beside(value, Finding.CANNOT_TELL, low=None, high=None)
    assert said(NOT_WORSE, known)[0][1].startswith(f"F1 is {told} that of")


def test_what_cannot_be_compared_is_not_passed() -> None:
    assert said(NOT_WORSE, facts(champion=CHAMPION)) == [
        (False, "It has no dataset in common with the champion Forest-1.0.0-1.")
    ]
    missing = BesideChampion(tag="crash", version=7, metric="f1", missing="the champion has no result on crash v7.")
    unknown = BesideChampion(tag="winter", version=2, metric="f1")
    assert said(NOT_WORSE, facts(champion=CHAMPION, beside=(missing, unknown))) == [
        (
            False,
            "It cannot be compared with the champion Forest-1.0.0-1: the champion has no result on crash v7.",
        ),
        (False, "It cannot be compared with the champion Forest-1.0.0-1: F1 of both is not known on winter v2."),
    ]


def test_a_gate_sums_up_its_checks() -> None:
    def outcome(*rules: Rule) -> Outcome:
        return Outcome(use_case="crash", checks=tuple(check(rules, facts(CRASH, QUEUED))))

    empty = outcome()
    assert (empty.passed, empty.sentence) == (True, "No rule is set for crash, so every model passes.")
    alone = outcome(Rule(kind=GateKind.NO_ALERT))
    assert (alone.passed, alone.sentence) == (True, "It passes the one check.")
    both = outcome(Rule(kind=GateKind.NO_ALERT), Rule(kind=GateKind.BENCHMARKED))
    assert (both.passed, both.sentence) == (False, "It does not pass 1 of 3 checks.")
    assert both.failing == ["It has no result on winter v2: the benchmark waits in the queue."]


@pytest.mark.parametrize(
    ("kind", "metric", "threshold", "fields"),
    [
        (GateKind.METRIC, "f1", 0.8, []),
        (GateKind.METRIC, "", -3.0, []),
        (GateKind.METRIC, "f1", None, ["threshold"]),
        (GateKind.DRIFT, "", 0.2, []),
        (GateKind.DRIFT, "", 20.0, ["threshold"]),
        (GateKind.DRIFT, "f1", None, ["metric", "threshold"]),
        (GateKind.NOT_WORSE, "f1", None, []),
        (GateKind.NOT_WORSE, "f1", 0.1, ["threshold"]),
        (GateKind.BENCHMARKED, "f1", 0.1, ["metric", "threshold"]),
        (GateKind.NO_ALERT, "", None, []),
    ],
)
def test_a_rule_says_which_of_its_fields_make_no_sense(
    kind: GateKind, metric: str, threshold: float | None, fields: list[str]
) -> None:
    assert list(Rule(kind=kind, metric=metric, threshold=threshold).problems) == fields
