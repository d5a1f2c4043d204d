"""Benchmarks over the API."""

from collections.abc import Callable

import pytest
from django.conf import settings

from atlas.access import Verb, Via
from atlas.api import BenchmarkDetail, BenchmarkSummary, BulkResult, LogLine, Page
from atlas.changes import MetricChange
from atlas.paired import Finding
from atlas.results import Explanation, Importance
from storage import queries, records
from storage.models import Benchmark
from storage.objects import open_store
from tests import stage
from tests.atlas_web.api.conftest import Script
from tests.samples import NOON, result
from tests.streams import compare

pytestmark = pytest.mark.django_db
EXPLAINED = Explanation(
    method="exact",
    output="probability",
    outputs=("intact", "damaged"),
    rows=30,
    importances=tuple(Importance(feature=f"f{number}", mean_absolute=(1.0, 1.0)) for number in range(30)),
    values_key="explanations/1.arrow",
)


@pytest.fixture
def done() -> int:
    """A benchmark with a result, an explanation, and its files."""
    store = open_store(settings.ATLAS_OBJECT_STORE)
    store.put("explanations/1.arrow", b"ARROW1 values")
    store.put("predictions/1.parquet", b"PAR1 predictions")
    outcome = result(0.8, explanation=EXPLAINED, predictions_key="predictions/1.parquet", warnings=("numpy differs",))
    return stage.finish(stage.add_model(), stage.add_version(1), outcome)


@pytest.fixture
def others(done: int) -> dict[str, int]:
    """The same model's benchmarks that failed and that waits, on later versions."""
    model = Benchmark.objects.get(pk=done).model_id
    return {
        "failed": stage.fail(model, stage.add_version(2), "It ran out of memory."),
        "queued": stage.queue(model, stage.add_version(3)),
    }


def test_benchmarks_are_listed_as_they_stand(reading: Script, done: int, others: dict[str, int]) -> None:
    page = Page[BenchmarkSummary].model_validate(reading.get("benchmarks"))
    assert {each.id: each.state.value for each in page.items} == {
        done: "done", others["failed"]: "failed", others["queued"]: "queued",
    }  # fmt: skip
    shown = {each.id: each for each in page.items}
    score = shown[done].score
    assert score is not None
    assert (score.value, shown[done].greater_is_better, shown[done].evaluation_rows) == (0.8, True, 30)
    assert (shown[others["failed"]].reason, shown[others["failed"]].score) == ("It ran out of memory.", None)
    assert shown[others["queued"]].earlier is not None
    assert shown[done].dataset.query_id == "impacts-v1"


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ("state=failed", ["failed"]),
        ("model=Forest-1.0.0-1&version=1", ["done"]),
        ("tag=impacts&order=-queued", ["queued", "failed", "done"]),
        ("tag=summer", []),
        ("use_case=other", []),
        ("q=memory", ["failed"]),
        ("score_min=0.8", ["done"]),
        ("score_min=0.81", []),
        ("score_max=0.8", ["done"]),
        ("order=-score&page_size=1", ["done"]),
    ],
)
def test_benchmarks_are_narrowed_and_ordered(
    reading: Script, others: dict[str, int], query: str, states: list[str]
) -> None:
    assert [each["state"] for each in reading.get(f"benchmarks?{query}")["items"]] == states


def test_benchmarks_of_no_model_are_not_found(reading: Script, done: int) -> None:
    assert reading("GET", "benchmarks?model=Birch").status == 404


def test_a_benchmark_tells_all_that_is_known(reading: Script, done: int) -> None:
    found = BenchmarkDetail.model_validate(reading.get(f"benchmarks/{done}"))
    assert [metric.name for metric in found.metrics] == ["f1", "accuracy"]
    assert found.confusion_matrix is not None
    assert found.confusion_matrix.counts == ((17, 1), (2, 10))
    assert found.costs is not None
    assert (found.costs.wall_seconds, found.costs.rows_per_second) == (2.0, 3000.0)
    assert found.explanation is not None
    assert (found.explanation.features, len(found.explanation.importances)) == (30, 20)
    assert found.standing is not None
    assert (found.standing.place, found.standing.of) == (1, 1)
    assert found.provenance is not None
    assert (found.warnings, found.output, found.provenance.machine) == (("numpy differs",), "hello", "bench")
    assert (found.has_predictions, found.can_cancel, found.can_run_again) == (True, False, True)


def test_a_benchmark_that_waits_has_no_results(reading: Script, others: dict[str, int]) -> None:
    found = BenchmarkDetail.model_validate(reading.get(f"benchmarks/{others['queued']}"))
    assert (found.metrics, found.costs, found.explanation, found.can_cancel) == ((), None, None, True)
    assert reading("GET", f"benchmarks/{others['queued']}/explanation").status == 404
    assert reading("GET", f"benchmarks/{others['queued']}/predictions").status == 404


@pytest.mark.parametrize("what", ["", "/changes", "/explanation", "/explanation/values", "/predictions", "/log"])
def test_a_benchmark_that_is_none_is_not_found(reading: Script, done: int, what: str) -> None:
    assert reading("GET", f"benchmarks/4711{what}").status == 404


def test_changes_are_told_once_the_result_was_compared_with_earlier_versions(reading: Script, done: int) -> None:
    later = stage.finish(Benchmark.objects.get(pk=done).model_id, stage.add_version(2), result(0.7))
    assert reading("GET", f"benchmarks/{later}/changes").status == 404
    compare()
    (primary, *_) = (MetricChange.model_validate(each) for each in reading.get(f"benchmarks/{later}/changes"))
    assert (primary.metric, primary.value, primary.finding) == ("f1", 0.7, Finding.CANNOT_TELL)
    assert primary.before is not None
    assert (primary.before.benchmark, primary.before.version, primary.before.value) == (done, 1, 0.8)


def test_an_explanation_is_told_whole_and_its_values_are_a_file(reading: Script, done: int) -> None:
    assert Explanation.model_validate(reading.get(f"benchmarks/{done}/explanation")) == EXPLAINED
    answer = reading("GET", f"benchmarks/{done}/explanation/values")
    assert (answer.status, answer.content) == (200, b"ARROW1 values")
    assert "Forest-1.0.0-1-impacts-v1-values.arrow" in answer.headers["Content-Disposition"]


def test_predictions_are_a_file(reading: Script, done: int) -> None:
    answer = reading("GET", f"benchmarks/{done}/predictions", Range="bytes=0-3")
    assert (answer.status, answer.content) == (206, b"PAR1")
    assert answer.headers["Content-Type"] == "application/vnd.apache.parquet"


def test_a_benchmark_is_run_again_once(writing: Script, done: int) -> None:
    answer = writing("POST", f"benchmarks/{done}/run-again")
    assert (answer.status, answer.document["state"]) == (200, "queued")
    again = writing("POST", f"benchmarks/{done}/run-again")
    assert (again.status, again.document["detail"]) == (
        409, "It has not ended yet, or it cannot run at all. It is queued.",
    )  # fmt: skip
    told = queries.actions().get()
    assert (told.verb, told.via, told.thing) == (Verb.RAN_AGAIN, Via.API, "Forest-1.0.0-1 on impacts v1")
    lines = Page[LogLine].model_validate(writing.get(f"benchmarks/{done}/log"))
    assert [line.message for line in lines.items] == ["Queued again by data-scientist: Forest-1.0.0-1 on impacts v1."]


def test_a_benchmark_is_cancelled_while_it_waits(writing: Script, done: int, others: dict[str, int]) -> None:
    answer = writing("POST", f"benchmarks/{others['queued']}/cancel")
    assert (answer.status, answer.document["state"]) == (200, "cancelled")
    assert answer.document["reason"] == "Cancelled by data-scientist."
    assert writing("POST", f"benchmarks/{done}/cancel").status == 409
    assert writing("POST", "benchmarks/4711/cancel").status == 404


def test_a_benchmark_that_waits_is_moved_to_the_front(administering: Script, done: int, others: dict[str, int]) -> None:
    administering("POST", f"benchmarks/{others['failed']}/run-again")
    last = stage.queue(Benchmark.objects.get(pk=done).model_id, stage.add_version(9))
    assert administering("POST", f"benchmarks/{last}/move-to-front").status == 200
    assert administering.get("queue")["items"][0]["id"] == last
    assert queries.actions()[0].detail == "moved to the front"
    assert administering("POST", f"benchmarks/{done}/move-to-front").status == 409


def test_a_benchmark_is_deleted(writing: Script, done: int) -> None:
    assert writing("DELETE", f"benchmarks/{done}").status == 204
    assert writing("GET", f"benchmarks/{done}").status == 404
    assert queries.actions().get().via == Via.API


def test_many_are_cancelled_at_once(administering: Script, done: int, others: dict[str, int]) -> None:
    answer = administering("POST", "bulk/cancel", {"ids": [done, others["queued"]]})
    assert answer.document == {"done": [others["queued"]], "skipped": [done]}
    assert Benchmark.objects.get(pk=others["queued"]).reason == "Cancelled by administrator."


def test_many_are_run_again_at_once(administering: Script, done: int, others: dict[str, int]) -> None:
    asked = [done, others["queued"], others["failed"], 4711, done]
    answer = administering("POST", "bulk/run-again", {"ids": asked})
    assert BulkResult.model_validate(answer.document) == BulkResult(
        done=(done, others["failed"]), skipped=(others["queued"], 4711)
    )
    assert Benchmark.objects.filter(state="queued").count() == 3
    assert queries.actions().count() == 2


def test_many_models_are_deleted_at_once(administering: Script, done: int) -> None:
    model = Benchmark.objects.get(pk=done).model_id
    answer = administering("POST", "bulk/delete", {"ids": [model, 4711]})
    assert answer.document == {"done": [model], "skipped": [4711]}
    assert not queries.models().exists()
    assert queries.actions().get().via == Via.API


def test_a_model_is_deleted_with_its_benchmarks(writing: Script, done: int) -> None:
    assert writing("DELETE", "models/Forest-1.0.0-1").status == 204
    assert writing("GET", f"benchmarks/{done}").status == 404
    assert writing("DELETE", "models/Forest-1.0.0-1").status == 404


def test_lists_cost_as_many_queries_however_long_they_are(
    fill: Callable[[int], None], queries_per_call: Callable[[str], int]
) -> None:
    records.log("engine", "done", now=NOON)
    fill(2)
    log = f"benchmarks/{Benchmark.objects.earliest('pk').pk}/log"
    paths = ("benchmarks", "queue", "logs", "tags", "tags/impacts/versions", log)
    queries_per_call("whoami")
    few = [queries_per_call(path) for path in paths]
    fill(6)
    assert [queries_per_call(path) for path in paths] == few
