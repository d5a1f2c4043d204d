"""Where an event lies in its recording's signals."""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import NamedTuple

from ingestion_engine.errors import RefusedError
from ingestion_engine.models import Recording

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""When a recording is taken to begin that does not say when it did."""


class Span(NamedTuple):
    """A part of a recording, in seconds since its start."""

    start_seconds: float
    end_seconds: float

    @property
    def duration_seconds(self) -> float:
        """How long it lasts, to the nanosecond."""
        return round(self.end_seconds - self.start_seconds, 9)


def start_of(recording: Recording) -> datetime:
    """When the recording's signals begin."""
    return recording.start or UNDATED


def span_of(recording: Recording, start: datetime | float, end: datetime | float | None) -> Span:
    """The span from `start` to `end`, each a moment or seconds since the recording's start; no end is the start.

    Raises:
        RefusedError: it does not lie within the recording.
    """
    first = _seconds(recording, start)
    last = first if end is None else _seconds(recording, end)
    duration = recording.duration_seconds or 0.0
    if not (isfinite(first) and isfinite(last) and 0 <= first <= last <= duration):
        raise RefusedError(
            f"start, end: {first:g} s to {last:g} s is no part of the recording {recording.name!r}, "
            f"which lasts from 0 s to {duration:g} s; the end comes after the start"
        )
    return Span(first, last)


def time_of(recording: Recording, span: Span) -> datetime:
    """When the span begins."""
    return start_of(recording) + timedelta(seconds=span.start_seconds)


def _seconds(recording: Recording, moment: datetime | float) -> float:
    return (moment - start_of(recording)).total_seconds() if isinstance(moment, datetime) else float(moment)
