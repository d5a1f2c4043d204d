"""The engine's loop over what waits to be predicted, with a model that a function stands for."""

import threading
from collections.abc import Callable

import pytest

from atlas.access import Via
from atlas.inference import Inferred, Labels
from atlas.ingestion import RecordingState
from atlas.results import Explanation, Failure
from atlas.states import FailureClass, State
from benchmark_engine.connector import Connector
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.inference import InferenceResult, InferenceTask
from benchmark_engine.inference_rows import SentRows, VersionRows
from benchmark_engine.inferences import Inferences, plan_live, query_for, tag_of
from benchmark_engine.live import LiveTask
from benchmark_engine.settings import EngineSettings
from storage import queries, records
from storage.models import Inference, LogEntry
from storage.records import Wanted
from tests import living, stage
from tests.benchmark_engine.conftest import DictionaryIngestion, impacts
from tests.samples import NOON

pytestmark = pytest.mark.django_db(transaction=True)
Infer = Callable[[InferenceTask, threading.Event], InferenceResult]


def done(task: InferenceTask, _: threading.Event) -> InferenceResult:
    inferred = Inferred(rows=3, explanation=Explanation(impossible="Not asked for."))
    return InferenceResult(inferred=inferred, predictions_key=task.key("predictions.parquet"), output="said")


def seeing(seen: list[InferenceTask]) -> Infer:
    def infer(task: InferenceTask, stop: threading.Event) -> InferenceResult:
        seen.append(task)
        return done(task, stop)

    return infer


def failing(failure_class: FailureClass) -> Infer:
    def infer(_task: InferenceTask, _stop: threading.Event) -> InferenceResult:
        raise BenchmarkError(Failure(failure_class=failure_class, reason="It is so."))

    return infer


def ask(**wanted: object) -> None:
    records.ask_inference(stage.add_model(), Wanted(**wanted), by="ines", via=Via.PAGE, now=NOON)  # type: ignore[arg-type]


def inferences(connector: Connector, infer: Infer = done) -> Inferences:
    return Inferences(connector, EngineSettings.model_validate({}), engine="one", infer=infer)


def test_what_waits_is_predicted_and_stored(connector: Connector) -> None:
    ask(rows_key="inferences/rows/1.csv")
    seen: list[InferenceTask] = []
    loop = inferences(connector, seeing(seen))
    assert loop.turn()
    assert not loop.turn()
    (task,) = seen
    kept = Inference.objects.get()
    assert (kept.state, kept.rows, kept.output) == (State.DONE, 3, "said")
    assert kept.predictions_key == f"inferences/{task.claim}/predictions.parquet"
    assert (task.rows, task.explained.rows) == (SentRows(key="inferences/rows/1.csv"), 100)


def test_what_fails_says_so_here_and_in_the_log(connector: Connector) -> None:
    ask(rows_key="inferences/rows/1.csv")
    inferences(connector, failing(FailureClass.SCHEMA_MISMATCH)).turn()
    kept = Inference.objects.get()
    assert (kept.state, kept.failure_class, kept.reason) == (State.FAILED, FailureClass.SCHEMA_MISMATCH, "It is so.")
    assert "It is so." in LogEntry.objects.get().message


def test_a_recording_s_events_are_asked_for_as_a_tag(connector: Connector, ingestion: DictionaryIngestion) -> None:
    ingestion.recordings["drive-1"] = RecordingState.READY
    ingestion.add(tag_of("drive-1"), impacts(5))
    ask(recording="drive-1")
    seen: list[InferenceTask] = []
    inferences(connector, seeing(seen)).turn()
    assert isinstance(seen[0].rows, VersionRows)
    assert seen[0].rows.dataset.tag == "recording-drive-1"
    assert ingestion.asked == {"recording-drive-1": 'recording = "drive-1" and (has label or missing label)'}


def test_a_recording_that_is_not_there_is_refused_once(connector: Connector) -> None:
    ask(recording="gone")
    inferences(connector).turn()
    kept = Inference.objects.get()
    assert (kept.state, kept.reason) == (State.FAILED, "The ingestion engine has no recording named gone.")


def test_an_ingestion_engine_that_is_away_is_waited_for(connector: Connector, ingestion: DictionaryIngestion) -> None:
    ingestion.reachable = False
    ask(recording="drive")
    inferences(connector).turn()
    assert Inference.objects.get().state == State.QUEUED


def test_what_is_cancelled_is_ended_soon(connector: Connector) -> None:
    ask(rows_key="inferences/rows/1.csv")

    def cancelled(_: InferenceTask, stop: threading.Event) -> InferenceResult:
        records.cancel_inference(Inference.objects.get().pk, by="ines", via=Via.PAGE, now=NOON)
        assert stop.wait(30)
        raise BenchmarkError(Failure(failure_class=FailureClass.LOST_WORKER, reason="stopped"))

    inferences(connector, cancelled).turn()
    assert Inference.objects.get().state == State.CANCELLED


def test_a_watched_tag_is_predicted_version_by_version_and_labels_are_kept(connector: Connector) -> None:
    model = stage.add_model()
    living.run(model, 1, living.live())
    living.watch(model)
    stage.add_version(2, tag=living.TAG)
    later, seen = living.labelled(0.7), list[InferenceTask]()

    def infer(task: InferenceTask, _: threading.Event) -> InferenceResult:
        seen.append(task)
        inferred = Inferred(rows=3, explanation=Explanation(impossible="Not asked for."), live=living.live())
        measured = Labels(labelled=later.labelled, metrics=later.metrics)
        relabelled = {living.key_of(living.TAG, 1): measured}
        return InferenceResult(inferred=inferred, predictions_key=task.key("p"), output="", relabelled=relabelled)

    assert plan_live(connector) == 1
    assert plan_live(connector) == 0
    inferences(connector, infer).turn()
    assert isinstance(seen[0].rows, VersionRows)
    assert seen[0].rows.unseen_since == seen[0].manifest.created
    assert seen[0].live == LiveTask(earlier=(living.key_of(living.TAG, 1),))
    assert seen[0].explained.rows == 0
    first, second = queries.live_runs(model, living.TAG)
    assert (first.live, second.live) == (later, living.live())


def test_an_engine_that_stops_gives_back_what_runs(connector: Connector) -> None:
    ask(rows_key="inferences/rows/1.csv")
    begun = threading.Event()

    def run(_: InferenceTask, stop: threading.Event) -> InferenceResult:
        begun.set()
        assert stop.wait(30)
        raise BenchmarkError(Failure(failure_class=FailureClass.LOST_WORKER, reason="stopped"))

    loop = inferences(connector, run)
    loop.start()
    assert begun.wait(30)
    loop.close()
    assert Inference.objects.get().state == State.QUEUED


def test_a_recording_s_name_is_quoted_and_long_ones_make_names_that_engines_take() -> None:
    assert query_for('a "b"') == 'recording = "a ""b""" and (has label or missing label)'
    assert len(tag_of("x" * 128)) == 100
    assert tag_of("x" * 128) != tag_of("x" * 127)
