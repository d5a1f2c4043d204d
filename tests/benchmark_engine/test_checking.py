"""Each new result is compared with earlier versions by the engine itself: a known change is found where it happens."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from atlas.access import Via
from atlas.changes import MetricChange
from atlas.drift import ColumnDrift
from atlas.errors import ObjectStoreError
from atlas.paired import Finding, Method
from atlas.results import MetricValue
from atlas.states import Level
from benchmark_engine.checking import Checker, check_results
from benchmark_engine.connector import Connector
from storage import queries, records
from storage.models import Benchmark, Drift, LogEntry, Model
from storage.objects import DirectoryStore
from tests.samples import NOON, result
from tests.stage import add_model, add_version, fail, finish, queue
from tests.streams import CHANGE, Answered, Watched, growing

pytestmark = [pytest.mark.django_db]

STREAM: list[Answered] = list(growing(12))
BEFORE, FALLEN, AFTER = STREAM[CHANGE - 2 : CHANGE + 1]
LATER = NOON + timedelta(days=1)


@pytest.fixture
def watched(objects: DirectoryStore) -> Watched:
    """A model whose results fall on the second of three versions."""
    return Watched(objects, [BEFORE, FALLEN, AFTER])


def accuracy(benchmark: int) -> MetricChange:
    found = queries.regression_check(benchmark)
    assert found is not None
    assert [change.metric for change in found] == ["accuracy", "recall"]
    return found[0]


def finding(benchmark: int) -> Finding:
    return accuracy(benchmark).finding


def due() -> set[int]:
    return set(Benchmark.objects.filter(check_due=True, state="done").values_list("pk", flat=True))


@pytest.mark.any_database
def test_a_known_change_is_found_at_the_version_where_it_happens_and_not_before(
    objects: DirectoryStore, connector: Connector
) -> None:
    watched, found = Watched(objects, STREAM), dict[int, MetricChange]()
    for number in range(1, len(STREAM) + 1):
        benchmark = watched.arrives(number)
        assert check_results(connector) == 1
        found[number] = accuracy(benchmark)
    sudden = {number: change.before.difference.finding for number, change in found.items() if change.before}
    assert [number for number, said in sudden.items() if said is not Finding.WITHIN_NOISE] == [CHANGE]
    assert [number for number, change in found.items() if change.finding is Finding.WORSE] == [7, 8, 9, 10, 11, 12]
    steps = {number: change.step for number, change in found.items() if change.step}
    worse = {number: step.version for number, step in steps.items() if step.finding is Finding.WORSE}
    assert worse == dict.fromkeys((8, 9, 10, 11, 12), CHANGE)


def test_a_fall_is_told_from_the_answers_to_each_event(watched: Watched, connector: Connector) -> None:
    first, second = watched.arrives(1), watched.arrives(2)
    assert check_results(connector) == 2
    fall = accuracy(second).before
    assert fall is not None
    assert (fall.benchmark, fall.version, fall.shared) == (first, 1, len(BEFORE.ids))
    assert (fall.difference.finding, fall.difference.method) == (Finding.WORSE, Method.PAIRED)
    assert accuracy(first).before is None


def test_how_far_predictions_have_moved_is_kept_beside_other_drift(watched: Watched, connector: Connector) -> None:
    first, second = (
        watched.arrives(1),
        watched.arrives(2, events=replace(FALLEN, labels=FALLEN.truth[[0] * len(FALLEN.ids)])),
    )
    check_results(connector)
    moved = ColumnDrift.model_validate(Drift.objects.get(benchmark=second).predictions)
    assert moved.has_moved
    assert sorted(moved.distribution.now)[-1] == len(FALLEN.ids)
    assert not Drift.objects.filter(benchmark=first).exclude(predictions=None).exists()


def test_nothing_to_compare_costs_one_query(
    watched: Watched, connector: Connector, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    watched.arrives(1)
    check_results(connector)
    with django_assert_num_queries(1):
        assert check_results(connector) == 0


def test_a_result_waits_for_earlier_versions_that_are_not_measured_yet(watched: Watched, connector: Connector) -> None:
    queue(watched.model, watched.versions[0])
    second = watched.arrives(2)
    assert check_results(connector) == 0
    assert queries.regression_check(second) is None
    fail(watched.model, watched.versions[0])
    assert check_results(connector) == 1
    assert finding(second) is Finding.CANNOT_TELL


def test_a_version_that_comes_late_has_later_ones_compared_again(watched: Watched, connector: Connector) -> None:
    second, third = watched.arrives(2), watched.arrives(3)
    check_results(connector)
    assert [finding(second), finding(third)] == [Finding.CANNOT_TELL, Finding.WITHIN_NOISE]
    first = watched.arrives(1)
    assert due() == {first, second, third}
    assert check_results(connector) == 3
    assert [finding(second), finding(third)] == [Finding.WORSE, Finding.WORSE]


def test_a_result_that_is_replaced_loses_its_check_and_later_ones_are_made_again(
    watched: Watched, connector: Connector
) -> None:
    first, second = watched.arrives(1), watched.arrives(2)
    check_results(connector)
    records.run_again(first, now=LATER)
    assert queries.regression_check(first) is None
    watched.arrives(1, events=FALLEN, now=LATER)
    assert queries.regression_check(first) is None
    assert finding(second) is Finding.WORSE  # until it is compared again
    assert check_results(connector) == 2
    assert finding(second) is Finding.WITHIN_NOISE


def test_what_is_replaced_meanwhile_is_not_taken_for_compared(watched: Watched, connector: Connector) -> None:
    first, second = watched.arrives(1), watched.arrives(2)
    replaced: list[int] = []

    def clock() -> datetime:
        if not replaced:
            records.run_again(first, now=LATER)
            replaced.append(watched.arrives(1, now=LATER))
        return NOON

    assert check_results(replace(connector, clock=clock)) == 0
    assert due() == {first, second}
    assert check_results(connector) == 2


def test_of_two_engines_that_compare_at_once_one_keeps_what_it_found(watched: Watched, connector: Connector) -> None:
    watched.arrives(1)
    others: list[int] = []

    def clock() -> datetime:
        others.append(check_results(connector))
        return NOON

    assert check_results(replace(connector, clock=clock)) == 0
    assert others == [1]
    assert due() == set()


def test_deleting_a_result_has_later_ones_compared_again(watched: Watched, connector: Connector) -> None:
    first, second, third = (watched.arrives(number) for number in (1, 2, 3))
    check_results(connector)
    records.delete_benchmarks([first], "ada", Via.PAGE, LATER)
    assert due() == {second, third}
    assert check_results(connector) == 2
    assert accuracy(second).before is None


def test_predictions_that_cannot_be_read_leave_the_intervals_and_are_told_once(
    watched: Watched, connector: Connector, objects: DirectoryStore
) -> None:
    checker = Checker(connector)
    first, second = watched.arrives(1), watched.arrives(2)
    objects.put(Benchmark.objects.get(pk=first).predictions_key, b"PAR1 is no more than a beginning PAR1")
    assert checker.check() == 2
    watched.arrives(3)
    assert checker.check() == 1
    fall = accuracy(second).before
    assert fall is not None
    assert (fall.shared, fall.difference.method, fall.difference.finding) == (0, Method.UNPAIRED, Finding.WORSE)
    (said,) = LogEntry.objects.filter(level=Level.WARNING)
    assert said.benchmark_id == first


def test_while_the_store_is_away_nothing_is_compared(
    watched: Watched, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = watched.arrives(1)

    def away(*_: object) -> bytes:
        raise ObjectStoreError("It is away.")

    with monkeypatch.context() as patched:
        patched.setattr(DirectoryStore, "read", away)
        with pytest.raises(ObjectStoreError):
            check_results(connector)
    assert due() == {only}
    assert check_results(connector) == 1


def test_a_model_that_cannot_be_compared_keeps_no_other_from_it(watched: Watched, connector: Connector) -> None:
    watched.arrives(1)
    other = Watched(connector.objects, [BEFORE], name="Other-1.0.0-1")
    broken = other.arrives(1)
    Model.objects.filter(pk=other.model).update(manifest={})
    assert check_results(connector) == 1
    assert due() == {broken}
    assert LogEntry.objects.filter(level=Level.ERROR).count() == 1


def test_a_metric_of_the_model_s_own_is_compared_without_a_finding(connector: Connector) -> None:
    model = add_model()
    Model.objects.filter(pk=model).update(primary_metric="cost")
    own = [
        finish(
            model,
            add_version(number),
            result(metrics=(MetricValue(name="cost", value=value, greater_is_better=False),)),
        )
        for number, value in ((1, 3.0), (2, 5.0))
    ]
    assert check_results(connector) == 2
    found = queries.regression_check(own[1])
    assert found is not None
    assert found[0].finding is Finding.CANNOT_TELL
    assert found[0].before is not None
    assert found[0].before.difference.value == 2.0
