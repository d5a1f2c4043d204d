"""The signals of decoded recordings, of which only the parts that are asked for are read from the store."""

from collections.abc import Sequence

import pyarrow as pa

from bags.archive import Archive
from ingestion_engine import windows
from ingestion_engine.drafts import Cut
from ingestion_engine.models import Recording
from ingestion_engine.spans import Span
from storage.objects import ObjectStore


def archive_of(store: ObjectStore, recording: Recording) -> Archive:
    """The signals of a recording.

    Raises:
        ObjectNotFoundError: it has none.
    """
    prefix = recording.archive_prefix
    return Archive(lambda name, first, stop: store.read(prefix + name, first, stop))


def cutter(store: ObjectStore) -> Cut:
    """What cuts events out of the signals of recordings in this store."""

    def cut(recording: Recording, spans: Sequence[Span]) -> pa.Table:
        return windows.cut(archive_of(store, recording), spans)

    return cut
