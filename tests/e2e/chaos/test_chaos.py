"""Two hundred benchmarks while a hundred processes are killed: each is done once, and nothing is left behind.

Which are killed, and when, is random; `CHAOS_SEED` repeats the choice that a failure names.
"""

import os
import secrets
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.e2e.chaos.aftermath import Aftermath, Variant, chaos
from tests.e2e.chaos.site import Victim

pytestmark = [pytest.mark.system(minutes=10), pytest.mark.timeout(1800)]

KILLS = {Victim.CHILD: 56, Victim.ZYGOTE: 8, Victim.ENGINE: 6, Victim.DATABASE: 16, Victim.OBJECT_STORE: 14}
ON_A_CLUSTER = {**KILLS, Victim.CHILD: 46, Victim.WORKER: 10}
# One engine alone is killed on Compose, with all containers about it: tests/compose/test_chaos.py.
VARIANTS = {
    "two engines": Variant(engines={"one": {"workers": 1}, "two": {"workers": 1}}, kills=KILLS),
    "three workers of a cluster": Variant(engines={"one": {}}, kills=ON_A_CLUSTER, workers=3),
}


# Each variant has a process of its own where tests are spread over several.
@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in VARIANTS])
def aftermath(request: pytest.FixtureRequest) -> Iterator[Aftermath]:
    seed = os.environ.get("CHAOS_SEED") or str(secrets.randbelow(10**6))
    with chaos(VARIANTS[request.param], seed) as found:
        yield found


@pytest.fixture(autouse=True)
def report(aftermath: Aftermath) -> None:
    """Pytest shows what happened, and the seed, where a test fails."""
    print(aftermath.site.report())  # noqa: T201


def test_every_benchmark_is_done_and_done_once(aftermath: Aftermath) -> None:
    assert aftermath.rows("SELECT state, count(*) FROM storage_benchmark GROUP BY state") == [("done", 200)]
    told = Counter(aftermath.rows("SELECT benchmark_id FROM storage_logentry WHERE message LIKE 'Done: %'"))
    assert not {benchmark for benchmark, times in told.items() if times > 1}


def test_every_number_is_the_one_that_scikit_learn_computes(aftermath: Aftermath) -> None:
    found = aftermath.results()
    expected = aftermath.workload.expected()
    assert found.keys() == expected.keys()
    for benchmark, result in expected.items():
        assert found[benchmark] == result, benchmark


def test_every_result_is_whole(aftermath: Aftermath) -> None:
    parts = "metric", "confusionmatrix", "explanation"
    per_benchmark = {
        part: Counter(pk for (pk,) in aftermath.rows(f"SELECT benchmark_id FROM storage_{part}")) for part in parts
    }
    assert {part: (len(found), set(found.values())) for part, found in per_benchmark.items()} == {
        "metric": (200, {2}),
        "confusionmatrix": (200, {1}),
        "explanation": (200, {1}),
    }
    assert aftermath.rows("SELECT count(*) FROM storage_explanation WHERE impossible <> ''") == [(0,)]


def test_no_process_is_left(aftermath: Aftermath) -> None:
    assert aftermath.strangers == []


def test_no_object_is_left_and_none_is_missing(aftermath: Aftermath) -> None:
    assert aftermath.orphan_objects() == set()


def test_no_file_is_left(aftermath: Aftermath) -> None:
    assert aftermath.leftover_files() == []
