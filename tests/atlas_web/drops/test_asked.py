"""What a result is compared with, if nobody asks for anything, and if somebody does."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from atlas.changes import Beside, MetricChange
from atlas.paired import Difference, Finding
from atlas_web.drops.asked import Asked, asked
from storage.queries import HistoryPoint, StoredResult
from tests.samples import NOON


@dataclass
class Stored:
    """As much of a stored metric as is read."""

    name: str
    value: float | None
    greater_is_better: bool
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass
class Outcome:
    """As much of a stored result as is read."""

    metrics: dict[str, Stored]
    changes: dict[str, MetricChange] | None
    version: int = 4

    @property
    def benchmark(self) -> "Outcome":
        return self

    @property
    def check_due(self) -> bool:
        return self.changes is None


def point(version: int, value: float, metric: str = "f1") -> HistoryPoint:
    sure: dict[str, Any] = {"value": value, "low": value - 0.01, "high": value + 0.01}
    return HistoryPoint(
        metric=metric, model="Forest", benchmark=10 * version, tag="t", version=version, created=NOON, **sure
    )


STREAM = [point(1, 0.8), point(2, 0.9), point(3, 0.7), point(4, 0.6), point(5, 0.99)]


def beside(version: int, finding: Finding) -> Beside:
    difference = Difference(value=-0.1, low=-0.2, high=-0.05, p=0.001, finding=finding)
    return Beside(benchmark=10 * version, version=version, value=0.9, shared=7, difference=difference)


def ask(against: str = "", *, greater: bool = True, **checked: Beside) -> Asked:
    change = MetricChange(metric="f1", value=0.6, greater_is_better=greater, finding=Finding.WORSE, **checked)
    metrics = {"f1": Stored("f1", 0.6, greater, 0.59, 0.61)}
    outcome = Outcome(metrics, {"f1": change} if checked else None)
    found = asked(cast(StoredResult, outcome), STREAM, against=against)
    assert found is not None
    return found


def version(found: Asked) -> int | None:
    return found.reference.version if found.reference else None


def test_the_version_before_is_compared_with_if_nothing_else_is_said() -> None:
    found = ask()
    assert (version(found), found.is_due, found.is_checked) == (3, True, False)
    assert found.change.finding is Finding.WORSE
    assert found.noun == "fall"


def test_the_best_so_far_is_if_only_beside_that_it_is_worse() -> None:
    only_best = ask(before=beside(3, Finding.WITHIN_NOISE), best=beside(2, Finding.WORSE))
    assert (version(only_best), only_best.is_checked, only_best.shared) == (2, True, 7)
    both = ask(before=beside(3, Finding.WORSE), best=beside(2, Finding.WORSE))
    assert version(both) == 3


@pytest.mark.parametrize(("against", "expected"), [("before", 3), ("best", 2), ("10", 1), ("50", 3), ("x", 3)])
def test_any_earlier_version_can_be_asked_for(against: str, expected: int) -> None:
    assert version(ask(against)) == expected


def test_of_what_should_be_small_the_smallest_is_the_best() -> None:
    found = ask("best", greater=False)
    assert version(found) == 3
    assert found.change.finding is Finding.BETTER


def test_what_the_engine_did_not_compare_is_told_by_both_intervals() -> None:
    found = ask("10", before=beside(3, Finding.WORSE), best=beside(2, Finding.WORSE))
    assert (found.is_checked, found.is_due, found.shared) == (False, False, None)
    assert found.change.value == pytest.approx(-0.2)


def test_versions_to_choose_from_say_which_they_are() -> None:
    assert list(ask().options()) == [(30, "v3, the one before"), (20, "v2, the best so far"), (10, "v1")]


def test_a_result_without_a_value_has_nothing_to_compare() -> None:
    assert asked(cast(StoredResult, Outcome({"f1": Stored("f1", None, True)}, None)), STREAM) is None
