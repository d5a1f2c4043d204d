"""Deleting: what goes at once, what engines are asked to delete, and who wins when two want different things."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from atlas.access import Verb, Via
from atlas.errors import ModelRemovedError
from atlas.results import Explanation
from atlas.states import ModelState
from storage import catalog, records
from storage.models import (
    Action,
    Benchmark,
    ConfusionMatrix,
    DatasetVersion,
    LogEntry,
    Metric,
    Model,
    Orphan,
    Removal,
)
from storage.models import Explanation as ExplanationRow
from storage.records import Deleted
from tests import stage
from tests.samples import NOON, manifest, result

pytestmark = pytest.mark.django_db


def benchmarked(name: str = "Forest-1.0.0-1", number: int = 1) -> int:
    """A model with a result whose files are named after `number`."""
    model = stage.add_model(name)
    keys = {"values_key": f"explanations/{number}.arrow", "events_key": f"explanations/{number}.parquet"}
    outcome = result(predictions_key=f"predictions/{number}.parquet", explanation=Explanation(**keys))
    benchmark = stage.finish(model, stage.add_version(), outcome)
    records.log("engine", "Done.", now=NOON, model=model, benchmark=benchmark)
    records.log("engine", "About the benchmark alone.", now=NOON, benchmark=benchmark)
    return model


def delete(*models: int) -> Deleted:
    return records.delete_models(models, "ilse", Via.PAGE, NOON)


def asked() -> dict[str, str]:
    return dict(Removal.objects.values_list("key", "etag"))


def test_a_model_goes_with_all_that_belongs_to_it_and_nothing_else() -> None:
    kept, gone = benchmarked("Kept-1.0.0-1", 1), benchmarked("Gone-1.0.0-1", 2)
    assert delete(gone) == Deleted(models=1, benchmarks=1, objects=4)
    assert [model.pk for model in Model.objects.all()] == [kept]
    assert set(Benchmark.objects.values_list("model", flat=True)) == {kept}
    assert set(LogEntry.objects.values_list("benchmark__model", flat=True)) == {kept}
    assert set(Metric.objects.values_list("benchmark__model", flat=True)) == {kept}
    assert set(ConfusionMatrix.objects.values_list("benchmark__model", flat=True)) == {kept}
    assert set(ExplanationRow.objects.values_list("benchmark__model", flat=True)) == {kept}
    assert DatasetVersion.objects.count() == 1


def test_engines_are_asked_to_delete_each_object_and_the_model_s_file_as_it_was_known() -> None:
    delete(benchmarked())
    assert asked() == {
        "models/Forest-1.0.0-1.atlas": "1",
        "predictions/1.parquet": "",
        "explanations/1.arrow": "",
        "explanations/1.parquet": "",
    }
    assert Removal.objects.first().by == "ilse"  # type: ignore[union-attr]


def test_who_deleted_which_model_stays_in_the_audit_log() -> None:
    delete(benchmarked("A-1", 1), benchmarked("B-1", 2))
    actions = Action.objects.order_by("thing").values_list("person", "via", "verb", "kind", "thing")
    assert list(actions) == [("ilse", Via.PAGE, Verb.DELETED, "model", name) for name in ("A-1", "B-1")]


def test_duplicates_go_with_the_file_that_they_repeat() -> None:
    model = stage.add_model("Forest-1.0.0-1")
    digest = Model.objects.get(pk=model).digest
    same = records.FileRecord(key="models/copy.atlas", etag="7", size_bytes=1, digest=digest, arrived=NOON)
    records.record_unused_file(same, ModelState.DUPLICATE, name="Forest-1.0.0-1", reason="the same")
    assert delete(model).models == 2
    assert asked() == {"models/Forest-1.0.0-1.atlas": "1", "models/copy.atlas": "7"}


def test_what_is_gone_already_is_left_out() -> None:
    model = benchmarked()
    delete(model)
    assert delete(model, 99) == Deleted()
    assert records.delete_benchmarks([99], "ilse", Via.PAGE, NOON) == Deleted()


def test_a_running_benchmark_is_taken_from_its_engine_and_its_result_is_not_stored() -> None:
    model = stage.add_model()
    held = stage.run(model, stage.add_version())
    delete(model)
    assert records.still_held([held]) == set()
    assert records.finish(held, result(), primary_metric="f1", now=NOON) is None
    assert not records.release(held, now=NOON)
    assert not Metric.objects.exists()


def test_a_benchmark_goes_alone_and_is_planned_anew() -> None:
    model = benchmarked()
    (benchmark,) = Benchmark.objects.values_list("pk", flat=True)
    assert catalog.unplanned() == []
    assert records.delete_benchmarks([benchmark], "ilse", Via.API, NOON) == Deleted(benchmarks=1, objects=3)
    assert [each.pk for each, _ in catalog.unplanned()] == [model]
    assert "models/Forest-1.0.0-1.atlas" not in asked()
    action = Action.objects.get()
    assert (action.kind, action.thing, action.via) == ("benchmark", "Forest-1.0.0-1 on impacts v1", Via.API)


def test_a_file_is_not_kept_that_was_deleted_while_an_engine_read_it() -> None:
    model = stage.add_model()
    file = stage.file("Forest-1.0.0-1.atlas")
    delete(model)
    with pytest.raises(ModelRemovedError):
        records.record_model(file, manifest(name="Forest-1.0.0-1"))
    with pytest.raises(ModelRemovedError):
        records.record_unused_file(file, ModelState.INVALID, name="x", reason="broken")
    with pytest.raises(ModelRemovedError):
        records.record_replaced_file(file, "replaced")
    assert not Model.objects.exists()


def test_a_removal_stays_until_the_object_is_gone_and_is_carried_out_once() -> None:
    delete(stage.add_model())
    key = "models/Forest-1.0.0-1.atlas"

    def refuse() -> None:
        raise OSError("no answer")

    with pytest.raises(OSError, match="no answer"):
        records.carry_out(key, refuse)
    assert key in asked()
    done: list[str] = []
    assert records.carry_out(key, lambda: done.append(key))
    assert not records.carry_out(key, lambda: done.append(key))
    assert done == [key]
    assert asked() == {}


def test_the_log_keeps_a_line_about_what_was_deleted_meanwhile() -> None:
    model = benchmarked()
    (benchmark,) = Benchmark.objects.values_list("pk", flat=True)
    delete(model)
    records.log("engine", "Ended, as it is no longer wanted.", now=NOON, model=model, benchmark=benchmark)
    line = LogEntry.objects.get()
    assert (line.model, line.benchmark) == (None, None)


def orphan(key: str) -> None:
    Orphan.objects.create(key=key, etag=key[:3], size_bytes=5, modified=NOON, found=NOON, why="nobody's")


def test_orphans_are_cleaned_up_all_or_some() -> None:
    for name in "abc":
        orphan(f"figures/{name}")
    assert records.clean_up_orphans("root", Via.PAGE, NOON, ["figures/a", "figures/unknown"]) == 1
    assert asked() == {"figures/a": "fig"}
    assert records.clean_up_orphans("root", Via.PAGE, NOON) == 2
    assert not Orphan.objects.exists()
    assert set(Action.objects.values_list("verb", "kind")) == {(Verb.CLEANED_UP, "object")}
    assert Action.objects.count() == 3


def test_many_are_deleted_in_few_statements(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    versions = [stage.add_version(number) for number in range(1, 5)]
    models = [stage.add_model(f"Forest-1.0.0-{number}") for number in range(5)]
    for model in models:
        for version in versions:
            stage.finish(model, version, result(predictions_key=f"predictions/{model}-{version}.parquet"))
    with django_assert_max_num_queries(40):
        assert delete(*models).benchmarks == 20


STATEMENTS = 6
"""A transaction's two, models locked, benchmarks changed and read, models summed up."""


def test_many_run_again_or_are_cancelled_by_few_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    version = stage.add_version()
    done = [stage.finish(stage.add_model(f"Done-{number}"), version) for number in range(3)]
    waiting = [stage.queue(stage.add_model(f"Waiting-{number}"), version) for number in range(3)]
    held = stage.run(stage.add_model("Running-1"), version)
    everything = Benchmark.objects.values("pk")
    later = NOON + timedelta(hours=1)
    with django_assert_num_queries(STATEMENTS):
        assert records.run_again_all(everything, now=later) == 3
    assert set(Benchmark.objects.filter(queued=later).values_list("pk", flat=True)) == set(done)
    with django_assert_num_queries(STATEMENTS):
        assert records.cancel_all(everything, by="root", now=later) == 7
    assert records.still_held([held]) == set()
    assert records.cancel_all(waiting, by="root", now=later) == 0


def test_who_moves_to_the_front_runs_before_all_others_and_does_not_wait_for_its_next_try() -> None:
    version = stage.add_version()
    first, second, third = (stage.queue(stage.add_model(f"Forest-{number}"), version) for number in range(3))
    Benchmark.objects.filter(pk=third).update(not_before=NOON + timedelta(hours=1))
    assert records.move_to_front(third, now=NOON)
    assert catalog.next_to_claim(NOON, limit=3) == [third, first, second]
    assert records.move_to_front(second, now=NOON)
    assert catalog.next_to_claim(NOON, limit=3) == [second, third, first]
    Benchmark.objects.filter(pk=second).update(priority=records.HIGHEST_PRIORITY)
    assert records.move_to_front(first, now=NOON)
    assert not records.move_to_front(stage.run(stage.add_model("Forest-9"), version).benchmark, now=NOON)
