"""Where the events of a recording of signals lie: round each label, or in windows of one length."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite

import pyarrow as pa

from atlas.ingestion import LabelledSpan, LabelValue, RecordingSettings
from ingestion_engine.errors import RecordingError

MAX_WINDOWS = 1_000_000
SAME_SECONDS = 1e-9
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
LABEL_TYPES: dict[type, str] = {bool: "bool", int: "int64", float: "double", str: "string", list: "list<item: string>"}


@dataclass(frozen=True, kw_only=True)
class Extent:
    """When a recording's signals begin, and how long they last."""

    start: datetime
    duration_seconds: float

    def seconds(self, moment: datetime | float) -> float:
        """A moment as seconds since the start."""
        return (moment - self.start).total_seconds() if isinstance(moment, datetime) else float(moment)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An event to be. `id` is within the recording, times are seconds since the recording's start."""

    id: str
    start_seconds: float
    end_seconds: float
    label: LabelValue | None = None
    car: str | None = None
    environment: str | None = None
    columns: dict[str, bool | int | float | str] = field(default_factory=dict)

    @property
    def span(self) -> tuple[float, float]:
        """From and until."""
        return self.start_seconds, self.end_seconds

    def row(self, extent: Extent) -> dict[str, object]:
        """Its row of the index, but for the label: see `decoding.INDEX`."""
        return {
            "id": self.id,
            "time": extent.start + timedelta(seconds=self.start_seconds),
            "duration_seconds": round(self.end_seconds - self.start_seconds, 9),
            "label_type": "" if self.label is None else LABEL_TYPES[type(self.label)],
            "car": self.car,
            "environment": self.environment,
        }


def extent_of(start: datetime | None, duration_seconds: float) -> Extent:
    """The extent of signals; those that are not dated begin in 1970."""
    return Extent(start=start or UNDATED, duration_seconds=duration_seconds)


def placed(labels: Sequence[LabelledSpan], settings: RecordingSettings, extent: Extent) -> list[Placed]:
    """The events that labels make of a recording: one for each, widened as the settings say, or windows of one length.

    Raises:
        RecordingError: a label does not lie in the recording, or two have the same id; with the row.
    """
    events = _of_labels(labels, settings, extent)
    return _windows(events, settings, extent) if settings.window_seconds else events


def known_columns(events: Sequence[Placed]) -> pa.Table:
    """The further columns that labels gave to events, one row an event."""
    names = sorted({name for event in events for name in event.columns})
    return pa.table({name: _column([event.columns.get(name) for event in events]) for name in names})


def _column(values: list[bool | int | float | str | None]) -> pa.Array:
    numbers = {type(value) for value in values} >= {int, float}
    return pa.array([float(value) if type(value) is int and numbers else value for value in values])


def _of_labels(labels: Iterable[LabelledSpan], settings: RecordingSettings, extent: Extent) -> list[Placed]:
    events: dict[str, Placed] = {}
    for row, label in enumerate(labels, start=1):
        event = _of_label(row, label, settings, extent)
        if event.id in events:
            raise RecordingError(
                f"row {row}, column 'id': an earlier row has the id {event.id!r}, or begins when it does"
            )
        events[event.id] = event
    return list(events.values())


def _of_label(row: int, label: LabelledSpan, settings: RecordingSettings, extent: Extent) -> Placed:
    start = extent.seconds(label.start)
    end = start if label.end is None else extent.seconds(label.end)
    last = extent.duration_seconds + SAME_SECONDS
    if not (isfinite(start) and 0 <= start <= last):
        raise RecordingError(f"row {row}, column 'start': {start:g} s is not in the recording, {_long(extent)}")
    if not (isfinite(end) and start <= end <= last):
        raise RecordingError(
            f"row {row}, column 'end': {end:g} s is not between its start at {start:g} s and the recording's end, "
            f"{_long(extent)}"
        )
    is_cut = settings.window_seconds is None
    return Placed(
        id=label.id or f"{start:.3f}",
        start_seconds=max(start - settings.before_seconds * is_cut, 0.0),
        end_seconds=min(end + settings.after_seconds * is_cut, extent.duration_seconds),
        label=label.label,
        car=label.car or settings.car,
        environment=label.environment or settings.environment,
        columns=label.columns,
    )


def _long(extent: Extent) -> str:
    return f"which begins at {extent.start:%Y-%m-%d %H:%M:%S} UTC and has {extent.duration_seconds:g} s"


def _windows(labels: Sequence[Placed], settings: RecordingSettings, extent: Extent) -> list[Placed]:
    """All whole windows, each with the label that covers most of it, if one covers at least half."""
    length = settings.window_seconds or 0.0
    step = settings.step_seconds or length
    count = int((extent.duration_seconds - length + SAME_SECONDS) // step) + 1
    if count > MAX_WINDOWS:
        raise RecordingError(f"window_seconds: it makes {count:,} windows, of which {MAX_WINDOWS:,} are allowed")
    best: dict[int, tuple[float, Placed]] = {}
    for label in labels:
        for number in _touched(label, length, step, count):
            covers = min(label.end_seconds, number * step + length) - max(label.start_seconds, number * step)
            if covers >= length / 2 - SAME_SECONDS and covers > best.get(number, (0.0, label))[0]:
                best[number] = covers, label
    return [
        _window(number * step, length, best[number][1] if number in best else None, settings) for number in range(count)
    ]


def _touched(label: Placed, length: float, step: float, count: int) -> range:
    """The windows that a label may touch."""
    first = max(int((label.start_seconds - length) // step), 0)
    return range(first, min(int(label.end_seconds // step) + 1, count))


def _window(start: float, length: float, label: Placed | None, settings: RecordingSettings) -> Placed:
    return Placed(
        id=f"{start:.3f}",
        start_seconds=start,
        end_seconds=start + length,
        label=label.label if label else None,
        car=label.car if label else settings.car,
        environment=label.environment if label else settings.environment,
        columns=label.columns if label else {},
    )
