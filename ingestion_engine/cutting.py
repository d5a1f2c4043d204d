"""Cutting events anew out of recordings that are decoded already."""

from collections.abc import Sequence

import pyarrow as pa

from atlas.ingestion import RecordingSettings
from ingestion_engine import windows
from ingestion_engine.archives import archive_of
from ingestion_engine.drafts import Cut
from ingestion_engine.models import Recording
from ingestion_engine.spans import Span
from storage.objects import ObjectStore


def cutter(store: ObjectStore) -> Cut:
    """What cuts events out of recordings in this store, as wide as the recordings' settings say."""

    def cut(recording: Recording, spans: Sequence[Span]) -> pa.Table:
        settings = RecordingSettings.model_validate(recording.settings)
        return windows.cut(
            archive_of(store, recording),
            spans,
            before_seconds=settings.before_seconds,
            after_seconds=settings.after_seconds,
        )

    return cut
