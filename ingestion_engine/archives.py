"""The signals of decoded recordings, of which only the parts that are asked for are read from the store."""

from bags.archive import Archive
from ingestion_engine.models import Recording
from storage.objects import ObjectStore


def archive_of(store: ObjectStore, recording: Recording) -> Archive:
    """The signals of a recording.

    Raises:
        ObjectNotFoundError: it has none.
    """
    prefix = recording.archive_prefix
    return Archive(lambda name, first, stop: store.read(prefix + name, first, stop))
