"""Each new result is compared with earlier versions by the engine itself: a known change is found where it happens."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from atlas.changes import MetricChange
from atlas.paired import Finding, Method
from atlas.states import State
from benchmark_engine import checking
from benchmark_engine.checking import Checker, check_results
from benchmark_engine.connector import Connector
from storage import queries, records
from storage.models import Benchmark, Drift, LogEntry, RegressionCheck
from storage.objects import DirectoryStore
from tests.samples import NOON
from tests.stage import LEASE, add_version, fail, queue
from tests.streams import CHANGE, Answered, Watched, growing

pytestmark = [pytest.mark.django_db]

STREAM: list[Answered] = list(growing(12))


@pytest.fixture
def watched(objects: DirectoryStore) -> Watched:
    """A model that waits for its results on a stream with a known change."""
    return Watched(objects, STREAM)


def accuracy(benchmark: int) -> MetricChange:
    found = queries.regression_check(benchmark)
    assert found is not None
    assert [change.metric for change in found] == ["accuracy", "f1"]
    return found[0]


def test_a_known_change_is_found_at_the_version_where_it_happens_and_not_before(
    watched: Watched, connector: Connector
) -> None:
    found: dict[int, MetricChange] = {}
    for number in range(1, len(STREAM) + 1):
        benchmark = watched.arrives(number)
        assert check_results(connector) == 1
        found[number] = accuracy(benchmark)
    assert {number for number, change in found.items() if change.finding is Finding.WORSE} == {
        number for number in found if number >= CHANGE
    }
    fall = found[CHANGE].before
    assert fall is not None
    assert (fall.version, fall.shared, fall.difference.finding) == (CHANGE - 1, 1_750, Finding.WORSE)
    assert fall.difference.method is Method.PAIRED
    assert all(
        change.before and change.before.difference.finding is Finding.WITHIN_NOISE
        for change in list(found.values())[CHANGE:]
    )
    steps = {
        number: change.step for number, change in found.items() if change.step and change.step.finding is Finding.WORSE
    }
    assert {step.version for step in steps.values() if step} == {CHANGE}
    assert set(steps) == set(range(CHANGE + 1, len(STREAM) + 1))

def test_show(watched, connector):
    import time
    for number in range(1, 13):
        b = watched.arrives(number)
        t=time.perf_counter()
        check_results(connector)
        d=time.perf_counter()-t
        c = accuracy(b)
        print(number, round(c.value,4), c.finding, c.before and (c.before.version, c.before.shared, round(c.before.difference.value,4), c.before.difference.adjusted_p, c.before.difference.method), c.best and (c.best.version, c.best.difference.adjusted_p, c.best.difference.finding), c.step and (c.step.version, c.step.p, c.step.finding), f"{d*1e3:.0f} ms", Drift.objects.filter(benchmark=b).count())
