"""How the pages write what they show of events and changes. Pure functions."""

from collections.abc import Sequence

from atlas.ingestion import ChangeVerb, LabelValue
from ingestion_engine.models import Event, Recording
from ingestion_engine.spans import start_of
from ui import formats

UNLABELLED = "unlabelled"
VERBS = {
    ChangeVerb.RECEIVED: "received the recording",
    ChangeVerb.LABELLED: "took in labels",
    ChangeVerb.ADDED: "added an event",
    ChangeVerb.MOVED: "moved an event",
    ChangeVerb.RELABELLED: "relabelled",
    ChangeVerb.DELETED: "deleted",
}
"""What is said of a change of a recording, after who made it."""
ENGINE = "The engine"
"""Who made a change that no person made."""


def label(value: LabelValue | None) -> str:
    """A label as one reads and types it: several classes with commas between them, nothing for none."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def offset(seconds: float | None) -> str:
    """A place in a recording, to the millisecond: `12.250`, `3:07.500`, `1:02:07.500`."""
    if seconds is None:
        return formats.NOTHING
    whole, thousandths = divmod(round(1000 * seconds), 1000)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}.{thousandths:03}"
    return f"{minutes}:{rest:02}.{thousandths:03}" if minutes else f"{rest}.{thousandths:03}"


def gaps(found: Sequence[tuple[float, float]]) -> str:
    """Where samples of a channel are missing, the first few in full."""
    told = [f"{offset(start)} to {offset(end)}" for start, end in found[:3]]
    left = len(found) - len(told)
    return "; ".join([*told, f"and {left:,} more"] if left else told)


def span(event: Event, recording: Recording) -> tuple[float, float] | None:
    """From where to where an event lies, in seconds since its recording's start; None in a table of events."""
    if event.time is None or not recording.channels:
        return None
    start = (event.time - start_of(recording)).total_seconds()
    return start, start + (event.duration_seconds or 0.0)


def local_id(event_id: str, recording: Recording) -> str:
    """An event's id within its recording."""
    return event_id.removeprefix(f"{recording.name}/")
