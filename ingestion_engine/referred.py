"""Which objects of the engine's store its tables refer to: what a backup must hold beside them."""

from collections.abc import Iterator

from bags.archive import INDEX_FILE
from ingestion_engine.models import Features, Recording, RecordingState, Version
from ingestion_engine.retention import files_that_stay


def referred_objects() -> Iterator[str]:
    """The keys of all objects without which something would be lost, read as they are asked for.

    The files of a version are among them only if there is no list of its events, from which they could be made again.
    """
    for recording in Recording.objects.only("name", "sha256", "state", "duration_seconds").iterator():
        yield recording.file_key
        if recording.state == RecordingState.READY and recording.duration_seconds is not None:
            yield recording.archive_prefix + INDEX_FILE
    yield from Features.objects.values_list("key", flat=True).iterator()
    yield from Version.objects.exclude(events_key="").values_list("events_key", flat=True).iterator()
    yield from files_that_stay()
