"""Predictions that are no benchmark: who may change their state, when they are tried again, what goes with a model."""

from datetime import timedelta

import pytest

from atlas.access import Verb, Via
from atlas.inference import Inferred
from atlas.results import Explanation, Failure
from atlas.states import FailureClass, State
from atlas.watching import InferenceKind
from storage import inferring, records
from storage.models import Action, Inference, Removal
from storage.records import InferenceClaim, Wanted
from storage.retries import Retries
from tests import stage
from tests.samples import NOON, manifest

LEASE = timedelta(seconds=30)
LATER = NOON + timedelta(minutes=5)
pytestmark = pytest.mark.django_db


def ask(**wanted: object) -> int:
    model = stage.add_model()
    return records.ask_inference(model, Wanted(**wanted), by="ines", via=Via.PAGE, now=NOON)  # type: ignore[arg-type]


def claim(inference: int) -> InferenceClaim:
    held = records.claim_inference(inference, engine="one", lease=LEASE, now=NOON)
    assert held is not None
    return held


def finish(held: InferenceClaim, **keys: str) -> bool:
    inferred = Inferred(rows=2, explanation=Explanation(impossible="Not asked for."))
    return records.finish_inference(held, inferred, predictions_key=f"inferences/{held.token}/p", **keys, now=NOON)


def lost() -> Failure:
    return Failure(failure_class=FailureClass.LOST_WORKER, reason="gone", output="last words")


def state(inference: int) -> str:
    return Inference.objects.get(pk=inference).state


def test_what_a_person_asks_for_waits_and_is_in_the_audit_log() -> None:
    asked = ask(rows_key="inferences/rows/1.csv", rows_name="mine.csv")
    assert state(asked) == State.QUEUED
    assert list(Action.objects.values_list("person", "verb", "thing", "detail")) == [
        ("ines", Verb.PREDICTED, "Forest-1.0.0-1", f"Prediction {asked}")
    ]


def test_of_two_engines_one_gets_it_and_only_that_one_stores_a_result() -> None:
    asked = ask(recording="drive")
    held = claim(asked)
    assert records.claim_inference(asked, engine="two", lease=LEASE, now=NOON) is None
    assert not finish(InferenceClaim(inference=asked, token="f" * 32))
    assert finish(held)
    assert not finish(held)
    kept = Inference.objects.get()
    assert (kept.state, kept.rows, kept.claim) == (State.DONE, 2, "")


def test_no_engine_takes_anything_while_the_queue_is_paused() -> None:
    asked = ask(recording="drive")
    records.pause(by="ilse", reason="", now=NOON)
    assert inferring.next_inference(NOON) is None
    assert records.claim_inference(asked, engine="one", lease=LEASE, now=NOON) is None


def test_a_person_is_served_before_live_data_that_waited_longer() -> None:
    asked = ask(recording="drive")
    records.ask_live(Inference.objects.get().model_id, stage.add_version(), now=NOON - timedelta(hours=1))
    assert inferring.next_inference(NOON) == asked


def test_live_data_are_asked_for_once_for_each_version() -> None:
    model, version = stage.add_model(), stage.add_version()
    first = records.ask_live(model, version, now=NOON)
    assert records.ask_live(model, version, now=NOON) is None
    assert Inference.objects.get().pk == first
    assert Inference.objects.get().kind == InferenceKind.LIVE


def test_a_lost_worker_is_tried_again_later_until_there_were_enough_tries() -> None:
    asked, twice = ask(recording="drive"), Retries(attempts=2, first_wait=timedelta(seconds=10))
    assert records.fail_inference(claim(asked), lost(), now=NOON, retries=twice) is State.QUEUED
    assert inferring.next_inference(NOON) is None
    again = records.claim_inference(asked, engine="one", lease=LEASE, now=LATER)
    assert again is not None
    assert records.fail_inference(again, lost(), now=LATER, retries=twice) is State.FAILED
    assert Inference.objects.get().output == "last words"


def test_rows_that_do_not_fit_fail_at_once() -> None:
    failure = Failure(failure_class=FailureClass.SCHEMA_MISMATCH, reason="Column peak is missing.")
    assert records.fail_inference(claim(ask(rows_key="k")), failure, now=NOON) is State.FAILED


def test_a_lease_that_is_renewed_is_not_taken() -> None:
    held = claim(ask(recording="drive"))
    assert inferring.lost_inferences(LATER) == [held]
    assert records.renew_inference(held, lease=timedelta(hours=1), now=NOON)
    assert inferring.lost_inferences(LATER) == []
    assert records.fail_lost_inference(held, now=LATER) is None
    assert records.fail_lost_inference(held, now=NOON + timedelta(hours=2)) is State.QUEUED


def test_an_engine_that_stops_gives_it_back() -> None:
    held = claim(ask(recording="drive"))
    assert records.release_inference(held, now=NOON)
    assert inferring.next_inference(NOON) == held.inference


def test_what_is_cancelled_is_no_longer_the_engine_s() -> None:
    held = claim(ask(recording="drive"))
    assert records.cancel_inference(held.inference, by="ines", via=Via.API, now=NOON)
    assert not records.renew_inference(held, lease=LEASE, now=NOON)
    assert not finish(held)
    assert not records.cancel_inference(held.inference, by="ines", via=Via.API, now=NOON)
    assert state(held.inference) == State.CANCELLED


def test_an_engine_is_told_all_that_it_needs() -> None:
    version = stage.add_version()
    stage.add_version(2)
    asked = ask(version=version, events=("a", "b"), most=None)
    task = inferring.inference_assignment(asked)
    assert (task.events, task.rows_key, task.recording) == (("a", "b"), "", "")
    assert task.version is not None
    assert task.version.description.number == 1


def test_values_are_compared_with_the_version_that_a_model_was_trained_on_else_with_the_newest_of_its_tags() -> None:
    record = {"query_id": "impacts-v1", "digest": "0" * 64, "rows": 70, "date": NOON, "duration_seconds": 1.0}
    assert inferring.trained_on(manifest(training=record)) is None
    for number in (1, 2):
        stage.add_version(number)
    trained, unrecorded = inferring.trained_on(manifest(training=record)), inferring.trained_on(manifest())
    assert trained is not None
    assert unrecorded is not None
    assert (trained.number, unrecorded.number) == (1, 2)


def test_objects_are_in_use_while_predictions_refer_to_them_or_run() -> None:
    done, running = claim(ask(rows_key="inferences/rows/1.csv")), claim(ask(recording="drive"))
    finish(done, values_key=f"inferences/{done.token}/explained.arrow")
    used = {"inferences/rows/1.csv", f"inferences/{done.token}/explained.arrow", f"inferences/{running.token}/new"}
    assert inferring.inference_keys_in_use({*used, "inferences/rows/2.csv", "inferences/gone/p"}) == used


def test_predictions_go_with_their_model_and_so_do_their_objects() -> None:
    held = claim(ask(rows_key="inferences/rows/1.csv"))
    finish(held, events_key=f"inferences/{held.token}/e")
    records.delete_models([Inference.objects.get().model_id], "ilse", Via.PAGE, NOON)
    assert not Inference.objects.exists()
    assert set(Removal.objects.values_list("key", flat=True)) == {
        "models/Forest-1.0.0-1.atlas",
        "inferences/rows/1.csv",
        f"inferences/{held.token}/p",
        f"inferences/{held.token}/e",
    }
