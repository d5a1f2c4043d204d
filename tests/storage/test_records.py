"""Every write to the tables, and above all the life of a benchmark."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from atlas.drift import ColumnDrift, Distribution, TableDrift
from atlas.errors import NameTakenError
from atlas.results import ClassMetrics, Estimate, Explanation, Failure, MetricValue, Progress
from atlas.states import ComponentState, FailureClass, Level, ModelState, Phase, State
from storage import catalog, records
from storage.catalog import Measured
from storage.models import Benchmark, ComponentStatus, DatasetTag, LogEntry, Model
from storage.records import Claim, FileRecord, Finished
from storage.retries import Retries
from tests.samples import NOON, description, manifest, result

LEASE = timedelta(seconds=30)


def file(key: str = "models/a.atlas", digest: str = "a" * 64, etag: str = "1") -> FileRecord:
    return FileRecord(key=key, etag=etag, size_bytes=10_000, digest=digest, arrived=NOON)


def queued() -> int:
    """One benchmark, of one model on one version, that waits."""
    records.record_model(file(), manifest())
    records.record_version(description())
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    return Benchmark.objects.get().pk


def claimed() -> Claim:
    held = records.claim(queued(), engine="one", lease=LEASE, now=NOON)
    assert held is not None
    return held


def benchmark() -> Benchmark:
    return Benchmark.objects.get()


def lost(reason: str = "gone") -> Failure:
    return Failure(failure_class=FailureClass.LOST_WORKER, reason=reason, output="last words")


pytestmark = pytest.mark.django_db


def test_a_model_is_kept_with_its_author_and_tags() -> None:
    pk = records.record_model(file(), manifest(tags=("impacts", "winter")))
    model = Model.objects.get(pk=pk)
    assert (model.name, model.state, model.use_case) == (manifest().name, ModelState.READY, "damage detector")
    assert model.author is not None
    assert model.author.email == "ines@example.org"
    assert sorted(model.tags.values_list("name", flat=True)) == ["impacts", "winter"]


def test_an_author_who_is_known_is_not_kept_twice() -> None:
    records.record_model(file(), manifest())
    author = {"name": "Inês Prado", "email": "ines@example.org"}
    records.record_model(file("models/b.atlas", "b" * 64), manifest(name="Other-1.0.0-1", author=author))
    assert list(Model.objects.values_list("author__name", flat=True).distinct()) == ["Inês Prado"]


def test_a_name_belongs_to_the_first_model_that_has_it() -> None:
    records.record_model(file(), manifest())
    with pytest.raises(NameTakenError, match=manifest().name):
        records.record_model(file("models/b.atlas", "b" * 64), manifest())
    assert Model.objects.get().key == "models/a.atlas"


def test_an_invalid_file_that_was_mended_becomes_a_model() -> None:
    pk = records.record_unused_file(file(), ModelState.INVALID, name="a.atlas", reason="not a zip file")
    assert records.record_model(file(etag="2", digest="b" * 64), manifest()) == pk
    model = Model.objects.get()
    assert (model.state, model.reason, model.digest) == (ModelState.READY, "", "b" * 64)


def test_what_is_known_of_a_model_stays_when_its_file_is_replaced() -> None:
    records.record_model(file(), manifest())
    records.record_replaced_file(file(etag="2", digest="b" * 64), "replaced")
    model = Model.objects.get()
    assert (model.state, model.reason, model.digest, model.etag) == (ModelState.READY, "replaced", "a" * 64, "2")


def test_a_tag_s_problem_is_news_once() -> None:
    records.record_tag("impacts", query="", checked=NOON)
    assert records.record_tag_problem("impacts", "no such tag")
    assert not records.record_tag_problem("impacts", "no such tag")
    records.record_tag("impacts", query="label = 1", checked=NOON)
    assert DatasetTag.objects.get().problem == ""


def test_a_version_that_is_known_is_kept_as_it_was() -> None:
    first = records.record_version(description())
    assert records.record_version(description()) == first
    assert catalog.known_query_ids("impacts") == {"impacts-v1"}


def test_a_benchmark_is_queued_once_for_a_model_a_dataset_and_its_metrics() -> None:
    queued()
    assert catalog.unplanned() == []
    (model, version) = (catalog.assignment(benchmark().pk).model, catalog.assignment(benchmark().pk).version)
    assert not records.queue_benchmark(model, version, now=NOON)
    assert Benchmark.objects.count() == 1


def test_the_same_data_under_another_version_is_not_benchmarked_again() -> None:
    queued()
    records.record_version(description(2, digest=description(1).digest))
    assert catalog.unplanned() == []


def test_a_model_with_several_tags_is_planned_on_each() -> None:
    records.record_model(file(), manifest(tags=("impacts", "winter")))
    records.record_version(description())
    records.record_version(description(tag="winter", query_id="winter-v1", digest="f" * 64))
    assert {version.description.tag for _, version in catalog.unplanned()} == {"impacts", "winter"}


def test_files_that_are_not_models_are_never_planned() -> None:
    records.record_version(description())
    records.record_unused_file(file(), ModelState.INVALID, name="a.atlas", reason="not a zip file")
    assert catalog.unplanned() == []


def test_an_incompatible_benchmark_never_waits() -> None:
    records.record_model(file(), manifest())
    records.record_version(description())
    ((model, version),) = catalog.unplanned()
    records.queue_benchmark(model, version, incompatible="column rms is missing", now=NOON)
    assert (benchmark().state, benchmark().reason) == (State.INCOMPATIBLE, "column rms is missing")
    assert catalog.next_to_claim(NOON, limit=10) == []


def test_a_benchmark_is_claimed_once() -> None:
    held = claimed()
    assert records.claim(held.benchmark, engine="two", lease=LEASE, now=NOON) is None
    assert (benchmark().state, benchmark().engine, benchmark().lease_until) == (State.RUNNING, "one", NOON + LEASE)


def test_a_result_is_stored_whole() -> None:
    held = claimed()
    assert records.finish(held, result(), primary_metric="f1", now=NOON)
    done = benchmark()
    assert (done.state, done.claim, done.lease_until, done.predictions) == (State.DONE, "", None, 30)
    assert [(m.name, m.value, m.primary) for m in done.metrics.all()] == [("f1", 0.8, True), ("accuracy", 0.9, False)]
    assert done.confusion_matrix.counts == [[17, 1], [2, 10]]
    assert done.explanation.impossible == "no explainer for this model"
    assert done.output == "hello"


def test_a_result_keeps_its_intervals_and_its_classes() -> None:
    sure = Estimate(value=0.8, low=0.7, high=0.9)
    metric = MetricValue(name="f1", value=0.8, low=0.7, high=0.9, greater_is_better=True)
    of_class = ClassMetrics(label="intact", rows=18, precision=sure, recall=sure, f1=Estimate())
    records.finish(claimed(), result(metrics=(metric,), class_metrics=(of_class,)), primary_metric="f1", now=NOON)
    assert [(kept.low, kept.high) for kept in benchmark().metrics.all()] == [(0.7, 0.9)]
    assert [ClassMetrics.model_validate(kept) for kept in benchmark().class_metrics] == [of_class]


def column(name: str, distance: float) -> ColumnDrift:
    return ColumnDrift(
        name=name,
        kullback_leibler=distance,
        jensen_shannon=distance,
        hellinger=distance,
        population_stability=distance,
        pairwise_distance=distance,
        kolmogorov_smirnov=None,
        wasserstein=None,
        missing=0.0,
        p_value=0.001,
        adjusted_p=0.001,
        has_moved=distance > 0.1,
        distribution=Distribution(bins=("a",), before=(1,), now=(1,)),
    )


def test_a_result_keeps_its_drift_until_there_is_a_new_one_and_waits_to_be_checked() -> None:
    drift = TableDrift(
        compared_with="reference",
        rows_before=1,
        rows_now=1,
        columns=(column("peak", 0.4), column("rms", 0.0)),
        labels=column("label", 0.9),
    )
    records.finish(claimed(), result(drift=drift), primary_metric="f1", now=NOON)
    kept = benchmark().drift
    assert TableDrift.model_validate(kept.document) == drift
    assert (kept.share_moved, kept.farthest, kept.unknown, kept.predictions) == (0.5, 0.4, "", None)
    Benchmark.objects.update(check_due=False)
    assert records.run_again(benchmark().pk, now=NOON)
    held = records.claim(benchmark().pk, engine="one", lease=LEASE, now=NOON)
    assert held is not None
    records.finish(held, result(drift_unknown="no reference"), primary_metric="f1", now=NOON)
    kept = benchmark().drift
    assert (kept.document, kept.share_moved, kept.farthest, kept.unknown) == (None, None, None, "no reference")
    assert benchmark().check_due


def test_a_metric_without_a_value_keeps_its_reason() -> None:
    records.finish(claimed(), result(f1=None), primary_metric="f1", now=NOON)
    metric = benchmark().metrics.get(primary=True)
    assert (metric.value, metric.reason) == (None, "no damage seen")


def test_a_result_of_a_claim_that_was_lost_is_not_stored() -> None:
    held = claimed()
    records.fail_lost(held.benchmark, held.token, now=NOON + LEASE + timedelta(seconds=1))
    assert not records.finish(held, result(), primary_metric="f1", now=NOON)
    assert benchmark().metrics.count() == 0


def test_a_failure_that_a_retry_may_mend_waits_longer_each_time_and_ends_after_three() -> None:
    held = claimed()
    waits = []
    now = NOON
    for _ in range(2):
        assert records.fail(held, lost(), now=now) is State.QUEUED
        waits.append(benchmark().not_before - now)
        assert records.claim(held.benchmark, engine="one", lease=LEASE, now=now) is None
        now = benchmark().not_before
        again = records.claim(held.benchmark, engine="one", lease=LEASE, now=now)
        assert again is not None
        held = again
    assert waits == [timedelta(seconds=10), timedelta(seconds=20)]
    assert records.fail(held, lost(), now=now) is State.FAILED
    assert (benchmark().attempts, benchmark().reason, benchmark().output) == (3, "gone", "last words")


def test_the_number_of_tries_and_the_wait_between_them_can_be_set() -> None:
    held = claimed()
    retries = Retries(attempts=2, first_wait=timedelta(minutes=8))
    assert records.fail(held, lost(), now=NOON, retries=retries) is State.QUEUED
    assert benchmark().not_before == NOON + timedelta(minutes=8)
    again = records.claim(held.benchmark, engine="one", lease=LEASE, now=NOON + timedelta(minutes=8))
    assert again is not None
    assert records.fail(again, lost(), now=NOON, retries=retries) is State.FAILED


def test_the_wait_doubles_up_to_ten_minutes() -> None:
    retries = Retries(first_wait=timedelta(minutes=4))
    assert [retries.wait(tried) for tried in (1, 2, 3, 100)] == [
        timedelta(minutes=minutes) for minutes in (4, 8, 10, 10)
    ]


def test_a_lease_that_was_renewed_in_time_is_not_lost() -> None:
    held = claimed()
    late = NOON + LEASE + timedelta(seconds=1)
    assert catalog.lease_ran_out(late) == [(held.benchmark, held.token)]
    records.renew([held], lease=LEASE, now=late)
    assert records.fail_lost(held.benchmark, held.token, now=late) is None
    assert benchmark().state == State.RUNNING


def test_a_failure_that_no_retry_mends_is_final() -> None:
    failure = Failure(failure_class=FailureClass.LOAD_ERROR, reason="the file is damaged")
    assert records.fail(claimed(), failure, now=NOON) is State.FAILED
    assert catalog.next_to_claim(NOON + timedelta(days=1), limit=10) == []


def test_a_lease_that_runs_out_gives_the_benchmark_back() -> None:
    held = claimed()
    assert catalog.lease_ran_out(NOON + LEASE) == []
    late = NOON + LEASE + timedelta(seconds=1)
    assert catalog.lease_ran_out(late) == [(held.benchmark, held.token)]
    assert records.fail_lost(held.benchmark, held.token, now=late) is State.QUEUED
    assert records.fail_lost(held.benchmark, held.token, now=late) is None


def test_a_renewed_lease_holds_and_a_lost_one_is_not_renewed() -> None:
    held = claimed()
    later = NOON + timedelta(seconds=25)
    assert records.renew([held], lease=LEASE, now=later) == 1
    assert catalog.lease_ran_out(NOON + LEASE + timedelta(seconds=1)) == []
    assert records.renew([Claim(benchmark=held.benchmark, token="stale")], lease=LEASE, now=later) == 0


def test_a_released_benchmark_waits_again_and_costs_no_attempt() -> None:
    assert records.release(claimed(), now=NOON)
    assert (benchmark().state, benchmark().attempts) == (State.QUEUED, 0)
    assert catalog.next_to_claim(NOON, limit=10) == [benchmark().pk]


def test_a_benchmark_that_waits_can_be_cancelled() -> None:
    pk = queued()
    assert records.cancel(pk, by="ilse", now=NOON)
    assert (benchmark().state, benchmark().reason) == (State.CANCELLED, "Cancelled by ilse.")
    assert catalog.next_to_claim(NOON, limit=10) == []


def test_a_benchmark_that_runs_can_be_cancelled_and_its_result_is_not_stored() -> None:
    held = claimed()
    assert records.still_held([held]) == {held}
    assert records.cancel(held.benchmark, by="ilse", now=NOON)
    assert records.still_held([held]) == set()
    assert not records.finish(held, result(), primary_metric="f1", now=NOON)
    assert records.fail(held, lost(), now=NOON) is None
    assert benchmark().state == State.CANCELLED


def test_a_benchmark_that_has_ended_cannot_be_cancelled() -> None:
    records.finish(claimed(), result(), primary_metric="f1", now=NOON)
    assert not records.cancel(benchmark().pk, by="ilse", now=NOON)


def test_a_benchmark_can_run_again_and_keeps_its_result_until_there_is_a_new_one() -> None:
    records.finish(claimed(), result(f1=0.8), primary_metric="f1", now=NOON)
    assert records.run_again(benchmark().pk, now=NOON)
    assert (benchmark().state, benchmark().metrics.get(primary=True).value) == (State.QUEUED, 0.8)
    held = records.claim(benchmark().pk, engine="one", lease=LEASE, now=NOON)
    assert held is not None
    records.finish(held, result(f1=0.7), primary_metric="f1", now=NOON)
    assert [metric.value for metric in benchmark().metrics.filter(primary=True)] == [0.7]


def test_a_failed_benchmark_that_runs_again_has_all_its_attempts_again() -> None:
    records.fail(claimed(), Failure(failure_class=FailureClass.LOAD_ERROR, reason="damaged"), now=NOON)
    assert records.run_again(benchmark().pk, now=NOON)
    assert (benchmark().attempts, benchmark().reason, benchmark().failure_class) == (0, "", "")


def test_a_benchmark_that_waits_or_runs_does_not_run_again() -> None:
    held = claimed()
    assert not records.run_again(held.benchmark, now=NOON)
    records.release(held, now=NOON)
    assert not records.run_again(held.benchmark, now=NOON)


def test_what_is_new_comes_before_what_runs_again() -> None:
    records.finish(claimed(), result(), primary_metric="f1", now=NOON)
    again = benchmark().pk
    records.run_again(again, now=NOON)
    records.record_version(description(2))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    assert catalog.next_to_claim(NOON, limit=10)[-1] == again


def test_benchmarks_of_one_dataset_version_come_together() -> None:
    for number in (1, 2):
        records.record_version(description(number))
    for number in range(3):
        name = f"Model-1.0.0-{number}"
        records.record_model(file(f"models/{name}.atlas", str(number) * 64), manifest(name=name))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    order = [Benchmark.objects.get(pk=pk).dataset_version.number for pk in catalog.next_to_claim(NOON, limit=6)]
    assert order == [1, 1, 1, 2, 2, 2]


def test_a_new_model_and_a_new_version_come_before_what_runs_again() -> None:
    records.finish(claimed(), result(), primary_metric="f1", now=NOON)
    again = benchmark().pk
    records.run_again(again, now=NOON)
    records.record_model(file("models/new.atlas", "n" * 64), manifest(name="New-1.0.0-1"))
    records.record_version(description(2))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON + timedelta(hours=1))
    order = catalog.next_to_claim(NOON + timedelta(hours=1), limit=10)
    assert len(order) == 4, "the new model on both versions, the old one on the new version and once more on the first"
    assert order[-1] == again


def test_a_priority_outlives_another_try() -> None:
    records.finish(claimed(), result(), primary_metric="f1", now=NOON)
    again = benchmark().pk
    records.run_again(again, now=NOON)
    held = records.claim(again, engine="one", lease=LEASE, now=NOON)
    assert held is not None
    records.fail(held, lost(), now=NOON)
    records.record_version(description(2))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    assert catalog.next_to_claim(NOON + timedelta(hours=1), limit=10)[-1] == again


def test_while_the_queue_is_paused_nothing_starts_and_what_runs_goes_on() -> None:
    held = claimed()
    records.record_version(description(2))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    (waiting,) = catalog.next_to_claim(NOON, limit=10)
    assert records.pause(by="ilse", reason="the disk is full", now=NOON)
    assert not records.pause(by="jan", reason="", now=NOON), "it is paused already"
    assert catalog.next_to_claim(NOON, limit=10) == []
    assert records.claim(waiting, engine="one", lease=LEASE, now=NOON) is None
    assert records.still_held([held]) == {held}
    assert records.finish(held, result(), primary_metric="f1", now=NOON)
    assert records.resume()
    assert not records.resume()
    assert records.claim(waiting, engine="one", lease=LEASE, now=NOON) is not None


def test_progress_is_kept_while_the_claim_holds() -> None:
    held = claimed()
    records.report_progress({held: Progress(phase=Phase.PREDICTING, done=40, total=100)})
    assert (benchmark().phase, benchmark().phase_done, benchmark().phase_total) == ("predicting", 40, 100)
    stale = Claim(benchmark=held.benchmark, token="stale")
    records.report_progress({stale: Progress(phase=Phase.LOADING)})
    assert benchmark().phase == "predicting"


@pytest.mark.parametrize("ending", ["finish", "fail", "release", "cancel"])
def test_progress_ends_with_the_run(ending: str) -> None:
    held = claimed()
    records.report_progress({held: Progress(phase=Phase.PREDICTING, done=40, total=100)})
    match ending:
        case "finish":
            records.finish(held, result(), primary_metric="f1", now=NOON)
        case "fail":
            records.fail(held, lost(), now=NOON)
        case "release":
            records.release(held, now=NOON)
        case "cancel":
            records.cancel(held.benchmark, by="ilse", now=NOON)
    assert (benchmark().phase, benchmark().phase_done, benchmark().phase_total) == ("", 0, 0)


def test_a_new_result_names_the_files_that_it_replaces() -> None:
    explanation = Explanation(values_key="explanations/1.arrow", events_key="explanations/1.parquet")
    outcome = result(predictions_key="predictions/1.parquet", explanation=explanation)
    first = records.finish(claimed(), outcome, primary_metric="f1", now=NOON)
    assert first == Finished(replaced_keys=frozenset())
    records.run_again(benchmark().pk, now=NOON)
    held = records.claim(benchmark().pk, engine="one", lease=LEASE, now=NOON)
    assert held is not None
    second = records.finish(held, result(predictions_key="predictions/2.parquet"), primary_metric="f1", now=NOON)
    assert second == Finished(replaced_keys=frozenset({"predictions/1.parquet", *explanation.keys}))
    assert benchmark().predictions_key == "predictions/2.parquet"


def test_predictions_belong_to_results_and_to_what_runs() -> None:
    records.finish(claimed(), result(predictions_key="predictions/done.parquet"), primary_metric="f1", now=NOON)
    records.record_version(description(2))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    (waiting,) = catalog.next_to_claim(NOON, limit=10)
    held = records.claim(waiting, engine="one", lease=LEASE, now=NOON)
    assert held is not None
    running = f"predictions/{held.token}.parquet"
    listed = {"predictions/done.parquet": "done", running: held.token, "predictions/lost.parquet": "lost"}
    listed |= {"explanations/done.arrow": "done", "explanations/done.parquet": "done"}
    assert catalog.without_owner(listed) == {"predictions/lost.parquet"}
    records.cancel(waiting, by="ilse", now=NOON)
    assert catalog.without_owner(listed) == {"predictions/lost.parquet", running}


def test_what_a_benchmark_needs_is_known_from_its_files_and_from_the_model_s_past() -> None:
    pk = queued()
    (need,) = catalog.needs([pk])
    assert (need.format, need.bundle_bytes, need.rows, need.data_bytes, need.earlier) == (
        "skops",
        10_000,
        30,
        1_000,
        None,
    )
    held = records.claim(pk, engine="one", lease=LEASE, now=NOON)
    assert held is not None
    records.finish(held, result(), primary_metric="f1", now=NOON)
    records.record_version(description(2))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    (need,) = catalog.needs(catalog.next_to_claim(NOON, limit=10))
    assert need.earlier == Measured(rows=30, peak_bytes=100 << 20)
    records.run_again(pk, now=NOON)
    (own,) = catalog.needs([pk])
    assert own.earlier == need.earlier, "its own last time counts, although it waits again"
    again = records.claim(pk, engine="one", lease=LEASE, now=NOON)
    assert again is not None
    records.finish(again, result(), primary_metric="f1", now=NOON)
    (peer,) = catalog.latest_peaks()
    assert (peer.format, peer.bundle_bytes, peer.measured) == ("skops", 10_000, need.earlier)


def test_what_a_bundle_asks_for_and_what_is_granted_to_it_is_known_and_nonsense_holds_nothing_up() -> None:
    records.record_model(file(), manifest(limits={"memory_mb": 512}))
    records.record_version(description())
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    (need,) = catalog.needs([benchmark().pk])
    assert (need.asked.memory_mb, need.granted.memory_mb) == (512, None)
    Model.objects.update(granted_limits={"memory_mb": 32_000})
    assert catalog.needs([benchmark().pk])[0].granted.memory_mb == 32_000
    Model.objects.update(granted_limits={"memory_mb": "much"})
    assert catalog.needs([benchmark().pk])[0].granted.memory_mb is None


def test_needs_come_in_the_order_asked_for_with_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    queued()
    for number in (2, 3, 4):
        records.record_version(description(number))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    asked = catalog.next_to_claim(NOON, limit=10)[::-1]
    with django_assert_num_queries(1):
        assert [need.benchmark for need in catalog.needs(asked)] == asked


def test_a_component_has_one_status() -> None:
    records.report_status("engine", ComponentState.HEALTHY, "fine", now=NOON)
    records.report_status("engine", ComponentState.DOWN, "gone", now=NOON)
    assert [(c.state, c.message) for c in ComponentStatus.objects.all()] == [(ComponentState.DOWN, "gone")]


def test_a_log_entry_belongs_to_its_model_and_benchmark() -> None:
    pk = queued()
    records.log(
        "engine", "failed", now=NOON, level=Level.ERROR, detail="trace", benchmark=pk, model=benchmark().model_id
    )
    entry = LogEntry.objects.get()
    assert (entry.benchmark_id, entry.level, entry.detail) == (pk, Level.ERROR, "trace")


@pytest.mark.django_db(transaction=True)
def test_of_many_engines_that_try_at_once_one_gets_the_benchmark() -> None:
    pk = queued()
    claims: list[Claim | None] = []
    start = Barrier(4)

    def try_to_claim(engine: str) -> None:
        start.wait()
        claims.append(records.claim(pk, engine=engine, lease=LEASE, now=NOON))
        connection.close()

    threads = [Thread(target=try_to_claim, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claims) == 4
    assert sum(held is not None for held in claims) == 1
