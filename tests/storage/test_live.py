"""Models on live data: which tags they are run on, what of them waits, and what labels that come later change."""

from datetime import timedelta

import pytest

from atlas.access import Verb, Via
from atlas.inference import Inferred, Labels
from atlas.states import ModelState, State
from storage import inferring, queries, records
from storage.models import Action, Benchmark, DatasetTag, Inference, LiveWatch, Model
from tests import living, stage
from tests.living import TAG, key_of, labelled, live, metric
from tests.samples import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def model() -> int:
    return stage.add_model()


def tag_key() -> int:
    return DatasetTag.objects.get(name=TAG).pk


def test_a_tag_is_watched_once_and_the_audit_log_says_who_began_and_who_ended_it(model: int) -> None:
    assert records.watch_live(model, TAG, by="ilse", now=NOON)
    assert not records.watch_live(model, TAG, by="jan", now=NOON)
    assert LiveWatch.objects.get().by == "ilse"
    assert records.unwatch_live(model, TAG, by="jan", now=NOON)
    assert not records.unwatch_live(model, TAG, by="jan", now=NOON)
    assert list(Action.objects.order_by("pk").values_list("person", "verb", "thing")) == [
        ("ilse", Verb.ADDED, f"Forest-1.0.0-1 on {TAG}"),
        ("jan", Verb.DELETED, f"Forest-1.0.0-1 on {TAG}"),
    ]


def test_a_model_that_atlas_cannot_use_is_not_run(model: int) -> None:
    Model.objects.update(state=ModelState.INVALID)
    with pytest.raises(Model.DoesNotExist):
        records.watch_live(model, TAG, by="ilse", now=NOON)


def test_the_newest_version_is_run_on_and_what_has_come_since_it_is_watched(model: int) -> None:
    old, newest = (stage.add_version(number, tag=TAG, created=NOON - timedelta(days=9 - number)) for number in (1, 2))
    living.watch(model)
    assert inferring.unplanned_live() == [(model, newest)]
    came = [stage.add_version(number, tag=TAG) for number in (3, 4)]
    assert inferring.unplanned_live() == [(model, key) for key in came]
    records.ask_live(model, came[1], now=NOON)
    assert inferring.unplanned_live() == [(model, came[0])]
    Model.objects.update(state=ModelState.INVALID)
    assert inferring.unplanned_live() == []
    assert old not in Inference.objects.values_list("dataset_version", flat=True)


def test_labels_that_came_take_the_place_of_the_estimate(model: int) -> None:
    asked = living.run(model, 1, live())
    records.keep_labels({key_of(TAG, 1): Labels(labelled=200, metrics=(metric(0.7),))})
    found = queries.live_runs(model, TAG)[0].live
    assert found is not None
    assert (found.labelled, found.estimated, found.metrics) == (200, (), (metric(0.7),))
    assert found.predictions == live().predictions
    assert Inferred.model_validate(Inference.objects.get(pk=asked).document).rows == living.ROWS


def test_too_few_labels_to_measure_are_counted_and_the_estimate_stays(model: int) -> None:
    living.run(model, 1, live())
    records.keep_labels({key_of(TAG, 1): Labels(labelled=9)})
    found = queries.live_runs(model, TAG)[0].live
    assert found is not None
    assert (found.labelled, found.estimated) == (9, live().estimated)


def test_fewer_labels_than_are_known_change_nothing(model: int) -> None:
    living.run(model, 1, labelled(0.8))
    records.keep_labels({key_of(TAG, 1): Labels(labelled=100, metrics=(metric(0.1),)), "other": Labels(labelled=1)})
    assert [run.live for run in queries.live_runs(model, TAG)] == [labelled(0.8)]


def test_labels_are_looked_for_of_earlier_runs_on_the_tag_that_lack_some(model: int) -> None:
    living.run(model, 1, live())
    living.run(model, 2, labelled(0.8))
    living.run(model, 3, live(labelled=living.ROWS - 1))
    living.run(model, 3, live(), tag="other")
    living.run(model, 4, live())
    assert inferring.live_without_labels(model, tag_key(), before=4) == (key_of(TAG, 3), key_of(TAG, 1))


def test_what_probabilities_are_worth_is_learned_from_the_newest_results(model: int) -> None:
    for number in (3, 1, 2):
        benchmark = stage.finish(model, stage.add_version(number))
        Benchmark.objects.filter(pk=benchmark).update(predictions_key=f"p{number}")
    assert inferring.labelled_predictions(model) == ("p3", "p2")


def test_an_engine_that_runs_live_data_is_told_what_to_look_at(model: int) -> None:
    benchmark = stage.finish(model, stage.add_version())
    Benchmark.objects.filter(pk=benchmark).update(predictions_key="p")
    living.run(model, 1, live())
    asked = records.ask_live(model, stage.add_version(2, tag=TAG), now=NOON)
    assert asked is not None
    assignment = inferring.inference_assignment(asked)
    assert (assignment.labelled, assignment.earlier) == (("p",), (key_of(TAG, 1),))
    on_demand = records.ask_inference(model, records.Wanted(recording="drive"), by="ilse", via=Via.PAGE, now=NOON)
    plain = inferring.inference_assignment(on_demand)
    assert (plain.labelled, plain.earlier) == ((), ())


def test_what_is_watched_comes_before_what_was(model: int) -> None:
    living.watch(model, "zebra")
    living.run(model, 1, live(), tag="b")
    living.run(model, 1, live(), tag="a")
    records.record_tag_problem("zebra", "There is no tag zebra")
    watched = queries.watched_by(model)
    assert [(each.tag, each.since, each.problem) for each in watched] == [
        ("zebra", NOON, "There is no tag zebra"),
        ("a", None, ""),
        ("b", None, ""),
    ]


def test_runs_are_told_by_version_the_newest_ones_only(model: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.queries._live.LIVE_WINDOW", 2)
    for number in (1, 2):
        living.run(model, number, live())
    records.ask_live(model, stage.add_version(3, tag=TAG), now=NOON)
    runs = queries.live_runs(model, TAG)
    assert [(run.number, run.state, run.rows, run.live is None) for run in runs] == [
        (2, State.DONE, living.ROWS, False),
        (3, State.QUEUED, None, True),
    ]
