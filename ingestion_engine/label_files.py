"""Labels that came as files: kept, applied to the recording at once or once it is decoded."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction
from pydantic import TypeAdapter

from atlas.ingestion import ChangeVerb, LabelledSpan, LabelReceipt, RecordingSettings
from ingestion_engine import feature_files, labelling, placing, sidecar, windows
from ingestion_engine.archives import archive_of, cutter
from ingestion_engine.decoding import Labels, index_of
from ingestion_engine.drafts import Drafts, Facts, placed, relabelled
from ingestion_engine.errors import RecordingError, RefusedError
from ingestion_engine.models import Change, Event, Features, LabelFile, Recording, RecordingState
from ingestion_engine.placing import Extent, Placed
from ingestion_engine.registration import change, enter, new_features
from ingestion_engine.spans import Span
from storage.objects import ObjectStore

AT_ONCE = 500
"""More labels than this are applied by the worker, so that no request takes long."""
SPANS = TypeAdapter(list[LabelledSpan])


def keep(store: ObjectStore, name: str, content: bytes, *, who: str, now: datetime) -> LabelReceipt:
    """Keep a file of labels, and apply it if its recording is ready. The newest file again changes nothing.

    Raises:
        RefusedError: the file cannot be read, or a label does not fit the recording; with row and column.
    """
    labels = sidecar.read(content)
    sha256 = hashlib.sha256(content).hexdigest()
    recording = Recording.objects.filter(name=name, state=RecordingState.READY).first()
    if recording is not None:
        _check(recording, labels)
    file = _kept(name, sha256, labels, who, now)
    counts = (0, 0)
    if file.applied is None and recording is not None and len(labels) <= AT_ONCE:
        counts = _apply(store, file, recording, now)
        file.refresh_from_db()
    added, changed = counts
    return LabelReceipt(
        recording=name,
        sha256=sha256,
        labels=len(labels),
        added=added,
        changed=changed,
        waiting=file.applied is None,
    )


def waiting_for(recording: Recording) -> tuple[Labels, ...]:
    """The files that wait for a recording, oldest first."""
    files = LabelFile.objects.filter(recording_name=recording.name, applied=None).order_by("received", "pk")
    return tuple(Labels(key=file.pk, labels=tuple(SPANS.validate_python(file.labels))) for file in files)


def settle(keys: Collection[int], refused: Mapping[int, str], made: Change) -> None:
    """Note that files were applied with a change, or why they were not."""
    LabelFile.objects.filter(pk__in=keys).update(applied=made.revision, problem="")
    for key, problem in refused.items():
        LabelFile.objects.filter(pk=key).update(problem=problem)


def apply_next(store: ObjectStore, *, now: datetime) -> bool:
    """Apply a file that waits though its recording is ready; whether there was one."""
    ready = Recording.objects.filter(state=RecordingState.READY).values("name")
    file = LabelFile.objects.filter(applied=None, recording_name__in=ready).order_by("received", "pk").first()
    if file is None:
        return False
    recording = Recording.objects.get(name=file.recording_name)
    try:
        _apply(store, file, recording, now)
    except RefusedError as error:
        with change(recording, ChangeVerb.LABELLED, who=file.who, now=now) as made:
            settle([file.pk], {file.pk: str(error)}, made)
            losses = [*recording.losses, f"Labels were not applied: {error}."]
            Recording.objects.filter(pk=recording.pk).update(losses=losses)
    return True


def _kept(name: str, sha256: str, labels: Sequence[LabelledSpan], who: str, now: datetime) -> LabelFile:
    """The row of a file. One that came before, and after which another one came, is to be applied once more."""
    dumped = SPANS.dump_python(list(labels), mode="json")
    with transaction.atomic():
        fields = {"received": now, "who": who, "labels": dumped}
        file, is_new = LabelFile.objects.get_or_create(recording_name=name, sha256=sha256, defaults=fields)
        newest = LabelFile.objects.filter(recording_name=name).order_by("-received", "-pk").first()
        if not is_new and (file != newest or file.problem):
            LabelFile.objects.filter(pk=file.pk).update(received=now, who=who, applied=None, problem="")
            file.refresh_from_db()
    return file


def _check(recording: Recording, labels: Sequence[LabelledSpan]) -> list[Placed]:
    """The events that labels make of a recording.

    Raises:
        RecordingError: a label does not fit.
    """
    if not recording.channels:
        raise RecordingError(
            f"the recording {recording.name!r} is a table of events without signals: correct its events one by one"
        )
    taken = {windows.DURATION, *(windows.column_of(channel["name"]) for channel in recording.channels)}
    for row, label in enumerate(labels, start=1):
        if wrong := taken & set(label.columns):
            raise RecordingError(
                f"row {row}, column {min(wrong)!r}: the engine makes this column; give it another name"
            )
    return placing.placed(labels, RecordingSettings.model_validate(recording.settings), _extent(recording))


def _extent(recording: Recording) -> Extent:
    return placing.extent_of(recording.start, recording.duration_seconds or 0.0)


def _apply(store: ObjectStore, file: LabelFile, recording: Recording, now: datetime) -> tuple[int, int]:
    """Make events of the labels that are new, and change those that are otherwise; how many of each.

    Raises:
        RefusedError: a label does not fit.
    """
    wanted = _check(recording, SPANS.validate_python(file.labels))
    present = {state.event_id: state for state in _present(recording)}
    new = [event for event in wanted if f"{recording.name}/{event.id}" not in present]
    drafts = _corrections(store, recording, present, wanted)
    with TemporaryDirectory(prefix="atlas-labels-") as folder:
        path = Path(folder) / "features.arrow"
        features = _features(store, recording, new, path)
        with change(recording, ChangeVerb.LABELLED, who=file.who, now=now) as made:
            if not LabelFile.objects.filter(pk=file.pk, applied=None).exists():  # another process was faster
                return 0, 0
            if new:
                enter(made, features, index_of(new, _extent(recording)), feature_files.scalars(path))
            for draft in drafts:
                labelling.replace(made, draft, {each.event_id: present[each.event_id].since for each in draft.events})
            settle([file.pk], {}, made)
            count = Event.objects.filter(recording=recording, until=None).count()
            Recording.objects.filter(pk=recording.pk).update(events_count=count)
    return len(new), sum(len(draft.events) for draft in drafts)


def _present(recording: Recording) -> Sequence[Event]:
    return list(Event.objects.filter(recording=recording, until=None).select_related("features", "recording"))


def _features(store: ObjectStore, recording: Recording, events: Sequence[Placed], path: Path) -> Features:
    """The features of new events, written to `path` and put into the store."""
    spans = [event.span for event in events]
    schema = windows.write(path, archive_of(store, recording), spans, placing.known_columns(events))
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    features = new_features(recording, digest, schema.empty_table())
    if events:
        store.put(features.key, path)
    return features


def _corrections(
    store: ObjectStore, recording: Recording, present: Mapping[str, Event], wanted: Sequence[Placed]
) -> list[Drafts]:
    """What becomes of events that are there already, where labels say otherwise."""
    drafts = []
    for event in wanted:
        state = present.get(f"{recording.name}/{event.id}")
        if state is not None and event.label is not None:
            drafts.append(_corrected(store, state, event))
    return [draft for draft in drafts if draft.events]


def _corrected(store: ObjectStore, state: Event, event: Placed) -> Drafts:
    facts: Facts = {"label": event.label}
    if event.car:
        facts["car"] = event.car
    if event.environment:
        facts["environment"] = event.environment
    if event.columns:
        facts["columns"] = event.columns
    row = event.row(_extent(state.recording))
    if (state.time, state.duration_seconds) == (row["time"], row["duration_seconds"]):
        return relabelled(store, [state], facts)
    return placed(store, cutter(store), state, Span(*event.span), facts)
