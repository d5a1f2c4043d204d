"""The work that nobody waits for: decoding recordings, applying labels, bringing tags up to date."""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import pyarrow.parquet as pq
from django.db.models import Q, QuerySet

from atlas.errors import ObjectNotFoundError, ObjectStoreError
from atlas.ingestion import ChangeVerb, RecordingSettings
from ingestion_engine import confined, feature_files, label_files, versions
from ingestion_engine.confined import CrashedError, Limits, StoppedError, TooLongError
from ingestion_engine.decoding import Job, Outcome
from ingestion_engine.errors import RefusedError
from ingestion_engine.metrics import decoding
from ingestion_engine.models import Recording, RecordingState
from ingestion_engine.registration import change, enter, new_features
from storage.objects import ObjectStore

LEASE = timedelta(seconds=30)
RENEW_SECONDS = 5.0
MAX_ATTEMPTS = 3

logger = logging.getLogger(__name__)


class LostError(RefusedError):
    """Another worker has the recording by now."""


def work_once(
    store: ObjectStore,
    now: datetime,
    *,
    limits: Limits | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> bool:
    """Do the next piece of work; whether there was any.

    `meanwhile` is called some times a second while a file is decoded; if it raises, the file is left for later.

    Raises:
        ObjectStoreError: the store does not answer; the piece waits.
    """
    if recording := _claimed(now):
        _decode(store, recording, now, limits or Limits(), meanwhile)
        return True
    return label_files.apply_next(store, now=now) or _refreshed(store, now)


def _claimed(now: datetime) -> Recording | None:
    """The recording that waits longest, which is ours from now on; of several workers one gets it."""
    unclaimed = Q(state=RecordingState.WAITING) | Q(state=RecordingState.DECODING, leased_until__lt=now)
    for found in Recording.objects.filter(unclaimed).order_by("received", "pk"):
        as_found = Recording.objects.filter(pk=found.pk, state=found.state, attempts=found.attempts)
        claim = {"state": RecordingState.DECODING, "leased_until": now + LEASE, "attempts": found.attempts + 1}
        if as_found.filter(leased_until=found.leased_until).update(**claim):
            return Recording.objects.get(pk=found.pk)
    return None


def _decode(
    store: ObjectStore, recording: Recording, now: datetime, limits: Limits, meanwhile: Callable[[], None]
) -> None:
    """Decode a recording that is ours, and note what became of it."""
    if recording.attempts > MAX_ATTEMPTS:
        _fail(recording, f"decoding it was broken off {MAX_ATTEMPTS} times; send it again to try once more")
        return
    lease = _Lease(recording, now)

    def still() -> None:
        lease.renew()
        meanwhile()

    try:
        with TemporaryDirectory(prefix="atlas-decode-") as folder:
            job = _job(store, recording, Path(folder))
            with decoding():
                confined.run(job, limits, still)
            _settle(store, recording, job, now)
    except LostError:
        logger.warning("The recording %s was taken over by another worker.", recording.name)
    except CrashedError as error:
        logger.warning("The recording %s: %s.", recording.name, error)
        _retry_or_fail(recording, str(error))
    except (RefusedError, TooLongError, ObjectNotFoundError) as error:
        _fail(recording, str(error))
    except (ObjectStoreError, StoppedError):
        _ours(recording).update(state=RecordingState.WAITING, leased_until=None, attempts=recording.attempts - 1)
        raise
    except Exception as error:
        _retry_or_fail(recording, f"a fault of the engine itself: {type(error).__name__}")
        raise


class _Lease:
    """Keeps a recording ours while it is decoded."""

    def __init__(self, recording: Recording, now: datetime) -> None:
        self._recording, self._now, self._begun, self._renewed = recording, now, monotonic(), monotonic()

    def renew(self) -> None:
        """Push the end of the lease back, if it is time to.

        Raises:
            LostError: it is not ours any more.
        """
        at = monotonic()
        if at - self._renewed < RENEW_SECONDS:
            return
        until = self._now + timedelta(seconds=at - self._begun) + LEASE
        if not _ours(self._recording).update(leased_until=until):
            raise LostError
        self._renewed = at


def _job(store: ObjectStore, recording: Recording, folder: Path) -> Job:
    path = folder / "file"
    store.get(recording.file_key, path)
    settings = RecordingSettings.model_validate(recording.settings)
    return Job(
        path=path,
        folder=folder,
        filename=recording.filename,
        settings=settings,
        label_files=label_files.waiting_for(recording),
    )


def _settle(store: ObjectStore, recording: Recording, job: Job, now: datetime) -> None:
    """Keep what was decoded: objects first, then rows in one change.

    Raises:
        LostError: the recording is not ours any more.
        RefusedError: nothing of the file can be used.
    """
    outcome = Outcome.model_validate_json(job.outcome.read_bytes())
    if outcome.problem:
        raise RefusedError(outcome.problem)
    index, columns = pq.read_table(job.index), feature_files.scalars(job.features)
    schema = feature_files.schema_of(job.features)
    features = new_features(recording, _sha256(job.features), schema.empty_table())
    for name in outcome.archive:
        store.put(recording.archive_prefix + name, job.signals / name)
    store.put(features.key, job.features)
    with change(recording, ChangeVerb.RECEIVED, who="", now=now) as made:
        if not _ours(recording).update(**_found(outcome), events_count=index.num_rows):
            raise LostError
        if index.num_rows:
            enter(made, features, index, columns)
        label_files.settle([each.key for each in job.label_files], outcome.refused, made)


def _found(outcome: Outcome) -> dict[str, Any]:
    """The fields of a recording that is ready."""
    return {
        "state": RecordingState.READY,
        "leased_until": None,
        "start": outcome.start,
        "duration_seconds": outcome.duration_seconds,
        "channels": [channel.model_dump(mode="json") for channel in outcome.channels],
        "losses": [*outcome.losses, *(f"Labels were not applied: {why}." for why in outcome.refused.values())],
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _retry_or_fail(recording: Recording, problem: str) -> None:
    if recording.attempts < MAX_ATTEMPTS:
        _ours(recording).update(state=RecordingState.WAITING, leased_until=None)
    else:
        _fail(recording, f"{problem}, {MAX_ATTEMPTS} times; send the file again to try once more")


def _fail(recording: Recording, problem: str) -> None:
    logger.warning("The recording %s could not be decoded: %s", recording.name, problem)
    _ours(recording).update(state=RecordingState.FAILED, leased_until=None, problem=problem)


def _ours(recording: Recording) -> QuerySet[Recording]:
    """The recording's row, as long as nobody else claimed it."""
    return Recording.objects.filter(pk=recording.pk, state=RecordingState.DECODING, attempts=recording.attempts)


def _refreshed(store: ObjectStore, now: datetime) -> bool:
    """Bring the tags that are due up to date; whether there were any."""
    if not versions.due(now):
        return False
    versions.refresh_all(store, now=now)
    return True
