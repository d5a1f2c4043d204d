"""Predictions that people and live data wait for: claimed and made one at a time, beside the benchmarks."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial

from django.db import connections

from atlas.datasets import DatasetDescription
from atlas.errors import DatasetError, IngestionError, IngestionUnavailableError
from atlas.ingestion import IngestionClient, RecordingState
from atlas.manifest import Manifest
from atlas.states import FailureClass, Level, State
from atlas.watching import InferenceKind
from benchmark_engine.complaints import Complaints
from benchmark_engine.connector import Connector
from benchmark_engine.failures import failure_of, named_failures
from benchmark_engine.inference import (
    EXPLAINED_ROWS,
    InferenceResult,
    InferenceTask,
)
from benchmark_engine.inference_rows import SentRows, VersionRows
from benchmark_engine.live import LiveTask
from benchmark_engine.sandbox.limits import limits_for
from benchmark_engine.settings import EngineSettings
from storage import inferring, records
from storage.inferring import InferenceAssignment
from storage.records import InferenceClaim
from storage.retries import Retries

LOOK_SECONDS = 0.5
"""How often it is looked whether something waits, and whether what runs is still wanted."""
TAG = "recording-"
"""What the name of a tag begins with that names the events of one recording."""
MOST_TAG = 100
"""The longest name of a tag that ingestion engines take."""
DIGITS = 16
"""So many of a digest stand in the name of a tag that would be longer."""
ONCE = Retries(attempts=1)
"""What the ingestion engine refuses, such as a tag whose name stands for another query, it refuses again."""

Infer = Callable[[InferenceTask, threading.Event], InferenceResult]


class Inferences:
    """One engine's share of what waits to be predicted.

    A thread of its own, between `start` and `close`.

    Args:
        connector: the door to storage.
        settings: for how long and in how much memory.
        engine: how this engine calls itself.
        infer: makes predictions, until they are done or the event is set.
    """

    def __init__(self, connector: Connector, settings: EngineSettings, *, engine: str, infer: Infer) -> None:
        self._connector = connector
        self._settings = settings
        self._engine = engine
        self._infer = infer
        self._complaints = Complaints(connector)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="inferences", daemon=True)

    def start(self) -> None:
        """Look after what waits from now on."""
        self._thread.start()

    def close(self) -> None:
        """Start nothing more; what runs is ended and given back."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def turn(self) -> bool:
        """Take back what other engines lost, and make the predictions that wait longest; whether there were any."""
        self._complaints.attempt("look for lost predictions", self._take_back)
        waiting: list[int] = []
        self._complaints.attempt("look for predictions to make", lambda: waiting.extend(self._next()))
        return any(self._complaints.attempt("make predictions", partial(self._make, each)) for each in waiting)

    def _loop(self) -> None:
        while not self._closed.is_set():
            if not self.turn():
                self._closed.wait(LOOK_SECONDS)
        connections.close_all()

    def _next(self) -> list[int]:
        found = inferring.next_inference(self._connector.clock())
        return [] if found is None else [found]

    def _take_back(self) -> None:
        """What other engines gave no sign of life for; none of this engine's own runs during a turn's beginning."""
        if self._complaints.database_was_away(self._settings.lease_seconds):
            return
        now = self._connector.clock()
        for held in inferring.lost_inferences(now):
            records.fail_lost_inference(held, now=now, retries=self._settings.retries)

    def _make(self, inference: int) -> None:
        clock, lease = self._connector.clock, self._settings.lease
        held = records.claim_inference(inference, engine=self._engine, lease=lease, now=clock())
        if held is None:  # another engine was faster, or it was cancelled
            return
        stop = threading.Event()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference") as executor:
            try:
                assignment = inferring.inference_assignment(inference)
                future = executor.submit(self._run, held, assignment, stop)
            except Exception as error:
                records.fail_inference(held, failure_of(error), now=clock(), retries=self._settings.retries)
                raise
            self._watch(held, future, stop)
        self._complaints.attempt("store predictions", partial(self._store, held, assignment, future, stop))

    def _run(self, held: InferenceClaim, assignment: InferenceAssignment, stop: threading.Event) -> InferenceResult:
        with named_failures():
            return self._infer(self._task(held, assignment), stop)

    def _watch(self, held: InferenceClaim, future: Future[InferenceResult], stop: threading.Event) -> None:
        """Renew the lease until it is done; end what is no longer wanted, or what runs when the engine stops."""
        while not wait([future], timeout=LOOK_SECONDS).done:
            self._complaints.attempt("renew the lease of predictions", partial(self._renew, held, stop))
            if self._closed.is_set():
                stop.set()

    def _renew(self, held: InferenceClaim, stop: threading.Event) -> None:
        if not records.renew_inference(held, lease=self._settings.lease, now=self._connector.clock()):
            stop.set()

    def _store(
        self,
        held: InferenceClaim,
        assignment: InferenceAssignment,
        future: Future[InferenceResult],
        stop: threading.Event,
    ) -> None:
        try:
            result = future.result()
        except Exception as error:  # noqa: BLE001 - process boundary: whatever the run raised becomes a failure class
            self._store_failure(held, assignment, error, stop)
            return
        records.finish_inference(
            held,
            result.inferred,
            predictions_key=result.predictions_key,
            values_key=result.values_key,
            events_key=result.events_key,
            output=result.output,
            now=self._connector.clock(),
        )
        if result.relabelled:
            records.keep_labels(result.relabelled)

    def _store_failure(
        self, held: InferenceClaim, assignment: InferenceAssignment, error: Exception, stop: threading.Event
    ) -> None:
        failure, now = failure_of(error), self._connector.clock()
        if stop.is_set() and failure.failure_class is FailureClass.LOST_WORKER:
            records.release_inference(held, now=now)
            return
        refused = isinstance(error, IngestionError) and not isinstance(error, IngestionUnavailableError)
        retries = ONCE if refused else self._settings.retries
        state = records.fail_inference(held, failure, now=now, retries=retries)
        if state is State.FAILED:
            message = f"Prediction {held.inference} failed, {failure.failure_class}: {failure.reason}"
            self._connector.log(message, level=Level.WARNING, detail=failure.output, model=assignment.model.pk)

    def _task(self, held: InferenceClaim, assignment: InferenceAssignment) -> InferenceTask:
        model, settings = assignment.model, self._settings
        rows = min(EXPLAINED_ROWS, settings.explained_rows) if assignment.explains else 0
        is_live = assignment.kind is InferenceKind.LIVE
        return InferenceTask(
            claim=held.token,
            bundle_key=model.key,
            bundle_digest=model.digest,
            bundle_bytes=model.size_bytes,
            manifest=model.manifest,
            rows=self._rows(assignment),
            known=assignment.known,
            limits=limits_for(settings.limits, model.manifest.limits, model.granted),
            explained=settings.explained.model_copy(update={"rows": rows}),
            live=LiveTask(labelled=assignment.labelled, earlier=assignment.earlier) if is_live else None,
        )

    def _rows(self, assignment: InferenceAssignment) -> VersionRows | SentRows:
        if assignment.rows_key:
            return SentRows(key=assignment.rows_key)
        if assignment.version is None:
            return VersionRows(dataset=events_of(assignment.recording, self._connector.ingestion))
        dataset = assignment.version.description
        if assignment.kind is InferenceKind.LIVE:
            return VersionRows(dataset=dataset, unseen_since=_trained(assignment.model.manifest))
        return VersionRows(dataset=dataset, events=assignment.events, most=assignment.most)


def _trained(manifest: Manifest) -> datetime:
    """When a model was trained; what happened later it cannot have been trained on."""
    return manifest.training.date if manifest.training else manifest.created


def plan_live(connector: Connector) -> int:
    """Queue what models that run on live data have not predicted yet; how many versions that is."""
    wanted = inferring.unplanned_live()
    return sum(records.ask_live(model, version, now=connector.clock()) is not None for model, version in wanted)


def events_of(recording: str, ingestion: IngestionClient) -> DatasetDescription:
    """The newest version of the tag that names all events of a recording; the tag is made if there is none.

    Raises:
        DatasetError: there is no such recording, it is not ready, or has no events.
        IngestionError: the ingestion engine does not answer, or refuses the tag.
    """
    try:
        found = ingestion.recording(recording)
    except IngestionUnavailableError:
        raise
    except IngestionError as error:
        raise DatasetError(f"The ingestion engine has no recording named {recording}.") from error
    if found.state is not RecordingState.READY:
        raise DatasetError(f"The recording {recording} is {found.state}; predict it once it is ready. {found.problem}")
    tag = ingestion.create_tag(tag_of(recording), query_for(recording))
    if not tag.versions:
        raise DatasetError(f"The recording {recording} has no events.")
    return ingestion.dataset(tag.versions[-1].query_id)


def query_for(recording: str) -> str:
    """The query that selects all events of a recording, labelled or not."""
    quoted = recording.replace('"', '""')
    return f'recording = "{quoted}" and (has label or missing label)'


def tag_of(recording: str) -> str:
    """The name of the tag that stands for that query; what is too long for a name ends with a digest."""
    name = TAG + recording
    return (
        name
        if len(name) <= MOST_TAG
        else f"{name[: MOST_TAG - 17]}-{hashlib.sha256(recording.encode()).hexdigest()[:16]}"
    )
