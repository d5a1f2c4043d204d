"""Which causes for an alert hold, for facts of every kind."""

from dataclasses import replace
from typing import Any

import pytest

from atlas.alerts import Cause, Facts, Moved, Part, Rule, Standing
from atlas.changes import Beside, MetricChange
from atlas.paired import Difference, Finding
from atlas.results import MetricValue
from atlas.watching import AlertKind
from monitoring.alerts import judge

MINUS = "\N{MINUS SIGN}"
FOREST = Standing(
    benchmark=11,
    model=1,
    model_name="Forest-1.0.0-1",
    use_case="damage detector",
    tag=5,
    dataset="crash",
    version=7,
    primary_metric="accuracy",
    metrics=[
        MetricValue(name="accuracy", value=0.87, low=0.84, high=0.9, greater_is_better=True),
        MetricValue(name="log_loss", value=0.4, greater_is_better=False),
        MetricValue(name="f1", value=None, greater_is_better=True, reason="no damage seen"),
    ],
    changes=[],
)


def rule(kind: AlertKind, **fields: Any) -> Rule:
    return Rule(pk=1, kind=kind, **fields)


def beside(value: float, version: int, by: float, finding: Finding = Finding.WORSE) -> Beside:
    difference = Difference(value=by, low=by - 0.03, high=by + 0.03, finding=finding)
    return Beside(benchmark=version, version=version, value=value, shared=0, difference=difference)


def change(**fields: Any) -> MetricChange:
    known = {"metric": "accuracy", "value": 0.87, "greater_is_better": True, "finding": Finding.WORSE}
    return MetricChange(**(known | fields))


def causes(watching: Rule, *standings: Standing) -> list[Cause]:
    return list(judge(watching, Facts(standings=standings)).causes)


def unknown(watching: Rule, standing: Standing) -> bool:
    """Whether nobody can say if the cause holds that did when this score was low, or fell, and so on."""
    verdict = judge(watching, Facts(standings=[standing]))
    return bool(verdict.unknown) and not verdict.causes


# Each kind ----------------------------------------------------------------------------------------------------------


def test_a_metric_below_its_threshold_is_told_with_its_interval() -> None:
    (cause,) = causes(rule(AlertKind.METRIC, threshold=0.9), FOREST)
    assert cause.text == "Accuracy of Forest-1.0.0-1 is 0.870 on crash v7"
    assert cause.why == "0.870 [0.840, 0.900] now; the rule wants at least 0.9."
    assert (cause.model, cause.benchmark, cause.metric) == (1, 11, "accuracy")


@pytest.mark.parametrize(
    ("metric", "threshold", "holds"),
    [("", 0.87, False), ("", 0.871, True), ("log_loss", 0.4, False), ("log_loss", 0.39, True)],
)
def test_a_metric_may_be_as_bad_as_its_threshold_but_not_worse(metric: str, threshold: float, holds: bool) -> None:
    verdict = judge(rule(AlertKind.METRIC, metric=metric, threshold=threshold), Facts(standings=[FOREST]))
    assert (bool(verdict.causes), verdict.unknown) == (holds, frozenset())


def test_a_metric_without_a_value_says_nothing() -> None:
    assert unknown(rule(AlertKind.METRIC, metric="f1", threshold=0.9), FOREST)
    assert unknown(rule(AlertKind.METRIC, metric="recall", threshold=0.9), FOREST)


def test_a_fall_is_told_with_both_values_and_the_interval_of_the_difference() -> None:
    fallen = replace(FOREST, changes=[change(before=beside(0.93, 6, -0.06), best=beside(0.95, 3, -0.08))])
    (cause,) = causes(rule(AlertKind.DROP), fallen)
    assert cause.text == "Accuracy of Forest-1.0.0-1 fell by 0.060 on crash v7"
    assert cause.why == (
        "0.930 on v6, the version before, and 0.870 now: a difference of "
        f"{MINUS}0.060 [{MINUS}0.090, {MINUS}0.030], more than noise."
    )


def test_a_fall_from_the_best_is_told_where_the_version_before_was_as_bad() -> None:
    noise = beside(0.88, 6, -0.01, Finding.WITHIN_NOISE)
    fallen = replace(FOREST, changes=[change(before=noise, best=beside(0.95, 3, -0.08))])
    (cause,) = causes(rule(AlertKind.DROP), fallen)
    assert cause.text.endswith("fell by 0.080 on crash v7")
    assert "0.950 on v3, at its best, and 0.870 now" in cause.why


def test_where_less_is_better_a_score_rises_to_be_worse() -> None:
    rose = change(metric="log_loss", greater_is_better=False, value=0.4, before=beside(0.3, 6, 0.1))
    (cause,) = causes(rule(AlertKind.DROP, metric="log_loss"), replace(FOREST, changes=[rose]))
    assert cause.text == "Log loss of Forest-1.0.0-1 rose by 0.100 on crash v7"


@pytest.mark.parametrize(("share", "holds"), [(None, True), (0.05, True), (0.1, True), (0.11, False)])
def test_a_threshold_is_a_share_of_the_earlier_value(share: float | None, holds: bool) -> None:
    fallen = replace(FOREST, changes=[change(before=beside(0.5, 6, -0.05))])
    assert bool(causes(rule(AlertKind.DROP, threshold=share), fallen)) is holds


def test_any_fall_from_zero_is_a_large_one() -> None:
    fallen = replace(FOREST, changes=[change(before=beside(0.0, 6, -0.05))])
    assert causes(rule(AlertKind.DROP, threshold=0.5), fallen)


def test_what_is_within_noise_or_better_is_no_fall() -> None:
    for finding in (Finding.WITHIN_NOISE, Finding.BETTER):
        same = replace(FOREST, changes=[change(finding=finding, before=beside(0.93, 6, -0.06, finding))])
        verdict = judge(rule(AlertKind.DROP), Facts(standings=[same]))
        assert (verdict.causes, verdict.unknown) == ((), frozenset())


def test_nobody_can_tell_of_a_fall_before_results_were_compared_or_without_intervals() -> None:
    cannot_tell = change(finding=Finding.CANNOT_TELL, before=beside(0.93, 6, -0.06, Finding.CANNOT_TELL))
    assert unknown(rule(AlertKind.DROP), replace(FOREST, changes=None))
    assert unknown(rule(AlertKind.DROP), replace(FOREST, changes=[cannot_tell]))


def test_data_that_moved_from_what_a_model_was_trained_on_are_a_cause_of_that_model() -> None:
    moved = replace(FOREST, moved=Moved(share=0.634, from_training=True))
    (cause,) = causes(rule(AlertKind.DRIFT, threshold=0.5), moved)
    assert cause.text == "63.4 % of the columns of crash v7 have moved from what Forest-1.0.0-1 was trained on"
    assert (cause.model, cause.why) == (1, "63.4 % have; the rule allows 50.0 %.")
    assert not causes(rule(AlertKind.DRIFT, threshold=0.634), moved)


def test_data_that_moved_from_the_version_before_are_one_cause_for_all_models() -> None:
    moved = replace(FOREST, moved=Moved(share=0.6, from_training=False))
    (cause,) = causes(rule(AlertKind.DRIFT, threshold=0.5), moved, replace(moved, model=2, benchmark=12))
    assert cause.text == "60.0 % of the columns of crash v7 have moved from the version before"
    assert cause.model is None


def test_of_data_without_a_known_drift_nobody_can_tell() -> None:
    assert unknown(rule(AlertKind.DRIFT, threshold=0.5), FOREST)


def test_a_failure_is_told_with_its_reason() -> None:
    failed = replace(FOREST, failure="Timeout: It took longer than 600 s.", metrics=[])
    (cause,) = causes(rule(AlertKind.FAILED), failed)
    assert (cause.text, cause.why) == ("Forest-1.0.0-1 failed on crash v7", "Timeout: It took longer than 600 s.")


@pytest.mark.parametrize("kind", [AlertKind.METRIC, AlertKind.DROP, AlertKind.DRIFT])
def test_a_failure_says_nothing_of_how_good_a_model_is(kind: AlertKind) -> None:
    assert unknown(rule(kind, threshold=0.5), replace(FOREST, failure="Crash: It ended.", metrics=[]))


def test_a_component_that_is_down_is_told_and_one_of_which_nobody_heard_is_not() -> None:
    parts = [
        Part(name="engine", is_down=False),
        Part(name="storage", is_down=None),
        Part(name="ingestion", is_down=True, why="refused"),
    ]
    verdict = judge(rule(AlertKind.DOWN), Facts(parts=parts))
    assert [(each.text, each.why, each.component) for each in verdict.causes] == [
        ("Ingestion is down", "refused", "ingestion")
    ]
    assert len(verdict.unknown) == 1
    assert not judge(rule(AlertKind.DOWN, component="engine"), Facts(parts=parts)).causes


# Scope and what a cause is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ({}, [1, 2]),
        ({"model": 2}, [2]),
        ({"use_case": "damage detector"}, [1]),
        ({"tag": 5}, [1, 2]),
        ({"tag": 6}, []),
        ({"model": 2, "use_case": "damage detector"}, []),
    ],
)
def test_a_rule_is_about_its_scope_alone(scope: dict[str, Any], told: list[int]) -> None:
    other = replace(FOREST, model=2, use_case="glass finder")
    found = causes(rule(AlertKind.METRIC, threshold=0.9, **scope), FOREST, other)
    assert [cause.model for cause in found] == told


def test_a_cause_keeps_its_key_while_versions_and_values_change() -> None:
    low = rule(AlertKind.METRIC, threshold=0.9)
    lower = [MetricValue(name="accuracy", value=0.5, greater_is_better=True)]
    (before,) = causes(low, FOREST)
    (now,) = causes(low, replace(FOREST, benchmark=12, version=8, metrics=lower))
    assert before.key == now.key
    assert before.text != now.text


def test_causes_of_different_subjects_have_different_keys() -> None:
    fallen = replace(FOREST, changes=[change(before=beside(0.93, 6, -0.06))], moved=Moved(share=1, from_training=True))
    subjects = [fallen, replace(fallen, model=2), replace(fallen, tag=6)]
    rules = [
        rule(AlertKind.METRIC, threshold=0.9),
        rule(AlertKind.METRIC, metric="log_loss", threshold=0.3),
        rule(AlertKind.DROP),
        rule(AlertKind.DRIFT, threshold=0.5),
    ]
    found = [cause.key for each in rules for cause in causes(each, *subjects)]
    assert len(found) == len(set(found)) == 12


def test_of_data_the_newest_version_counts_that_any_model_was_benchmarked_on() -> None:
    behind = replace(FOREST, version=6, moved=Moved(share=0.6, from_training=False))
    ahead = replace(FOREST, model=2, moved=Moved(share=0.1, from_training=False))
    assert not causes(rule(AlertKind.DRIFT, threshold=0.5), behind, ahead)
    assert not causes(rule(AlertKind.DRIFT, threshold=0.5), ahead, behind)
