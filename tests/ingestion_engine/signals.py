"""A recording of signals that needs no file, and features cut from signals that are known without one."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from ingestion_engine.models import Recording, RecordingState
from ingestion_engine.spans import Span

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RATE_HZ = 100


def recording(name: str = "drive", *, start: datetime | None = NOW) -> Recording:
    """Ten seconds of one channel, ready and without events."""
    return Recording.objects.create(
        name=name,
        sha256="0" * 64,
        received=NOW,
        state=RecordingState.READY,
        start=start,
        duration_seconds=10.0,
        channels=[{"name": "sound", "samples": 10 * RATE_HZ, "dtype": "float32", "rate_hz": RATE_HZ}],
    )


def cut(_recording: Recording, spans: Sequence[Span]) -> pa.Table:
    """The channel counts the samples from the recording's start."""
    windows = [np.arange(round(a * RATE_HZ), round(b * RATE_HZ), dtype=np.float32) for a, b in spans]
    return pa.table(
        {
            "duration_seconds": [span.duration_seconds for span in spans],
            "sound": pa.array(windows, pa.list_(pa.float32())),
            "sound.peak": [float(window.max(initial=0)) for window in windows],
        }
    )
