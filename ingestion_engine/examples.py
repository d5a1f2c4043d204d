"""A few events of a version to look at and to listen to: chosen once when it is made, and kept beside it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from heapq import nsmallest
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import soundfile

from atlas.datasets import read_arrow, write_arrow
from atlas.errors import ObjectNotFoundError
from atlas.ingestion import ChannelDescription, Examples, LabelValue, SignalEnvelope, SignalExample
from ingestion_engine.errors import UnknownError
from ingestion_engine.models import Recording
from ingestion_engine.registration import shuffle_of
from storage.objects import ObjectStore

Numbers = npt.NDArray[np.float64]
Rates = Callable[[str], Mapping[str, float]]
"""Samples a second of a recording's channels, by the recording's name."""

OF_EACH_LABEL = 3
MOST_LABELS = 20
POINTS = 200
LOUDEST = 0.9
"""What the greatest sample of a signal becomes when it is listened to, of what a file can hold."""


def make(table: pa.Table, digest: str, store: ObjectStore, *, rates: Rates | None = None) -> Examples:
    """Choose examples of a version's rows, and keep them under its digest.

    There are at most three of each of the most frequent labels, which are the same in every version that has them.
    One event at a time is in memory. The signals of each come first, the document that leads to them last.

    Args:
        table: all rows of the version, perhaps mapped into memory.
        digest: of the version's content.
        rates: looks for the recordings' channels in the engine's tables, if not given.
    """
    rows = choose(table)
    with TemporaryDirectory(prefix="atlas-examples-") as folder:
        path = Path(folder) / "event.arrow"
        for number, row in enumerate(rows):
            write_arrow(table.slice(row, 1).combine_chunks(), path)
            store.put(_event_key(digest, number), path)
    found = Examples(events=tuple(_example(table.slice(row, 1), rates or channel_rates) for row in rows))
    store.put(_key(digest), found.model_dump_json().encode())
    return found


def read(digest: str, store: ObjectStore) -> Examples:
    """The examples of the version with this digest.

    Raises:
        UnknownError: it has none: it was made before there were examples.
    """
    try:
        with store.open(_key(digest)) as stream:
            return Examples.model_validate_json(stream.read())
    except ObjectNotFoundError as error:
        raise UnknownError("there are no examples of this version") from error


def wav(digest: str, number: int, column: str, store: ObjectStore) -> bytes:
    """A signal of an example as a WAV file, as loud as it can be.

    Args:
        digest: of the version's content.
        number: of the example, from 0.
        column: the signal's.

    Raises:
        UnknownError: there is no such example or signal, or nobody knows how fast it was sampled.
    """
    events = read(digest, store).events
    if number >= len(events):
        raise UnknownError(f"there is no example {number}: there are {len(events)}, counted from 0")
    signal = next((each for each in events[number].signals if each.column == column), None)
    if signal is None or not signal.rate_hz:
        raise UnknownError(f"example {number} has no signal {column!r} to listen to")
    with TemporaryDirectory(prefix="atlas-example-") as folder:
        path = Path(folder) / "event.arrow"
        store.get(_event_key(digest, number), path)
        return as_wav(_numbers(read_arrow(path)[column]), signal.rate_hz)


def as_wav(samples: Numbers, rate_hz: float) -> bytes:
    """Samples as WAV of 16 bits, about zero and scaled; missing ones are silent."""
    known = samples[np.isfinite(samples)]
    centred = np.nan_to_num(samples - known.mean()) if len(known) else np.zeros_like(samples)
    greatest = float(np.abs(centred).max())
    buffer = BytesIO()
    scaled = centred * (LOUDEST / greatest if greatest else 0.0)
    soundfile.write(buffer, scaled, max(1, round(rate_hz)), format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def channel_rates(recording: str) -> Mapping[str, float]:
    """Samples a second of each channel of a recording that has a rate."""
    described = Recording.objects.filter(name=recording).values_list("channels", flat=True).first() or ()
    channels = map(ChannelDescription.model_validate, described)
    return {channel.name: channel.rate_hz for channel in channels if channel.rate_hz}


def choose(table: pa.Table) -> list[int]:
    """The numbers of the rows that are shown: of each label those whose ids come first when they are shuffled.

    Events without a label, and with a continuous one, are a class of their own.
    """
    best: dict[str, list[tuple[int, int]]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for row, event_id, classes in _classes(table):
        position = (shuffle_of(event_id), row)
        for each in classes:
            counts[each] += 1
            if len(best[each]) < OF_EACH_LABEL or position < best[each][-1]:
                best[each] = nsmallest(OF_EACH_LABEL, [*best[each], position])
    frequent = sorted(counts, key=lambda each: (-counts[each], each))[:MOST_LABELS]
    return list(dict.fromkeys(row for each in frequent for _, row in best[each]))


def _classes(table: pa.Table) -> Iterator[tuple[int, str, Collection[str]]]:
    """Row, id and classes of each event, a batch at a time."""
    row = 0
    is_continuous = pa.types.is_floating(table.schema.field("label").type)
    for batch in table.select(["id", "label"]).to_batches():
        for event_id, label in zip(batch["id"].to_pylist(), batch["label"].to_pylist(), strict=True):
            yield row, event_id, ("",) if is_continuous else _names(label)
            row += 1


def _names(label: LabelValue | None) -> Collection[str]:
    if isinstance(label, list):
        return set(label) or ("",)
    return ("",) if label is None else (str(label),)


def _example(event: pa.Table, rates: Rates) -> SignalExample:
    """What is shown of an event, a table of one row."""
    known = event.select(["id", "time", "label", "car", "environment"]).to_pylist()[0]
    of_recording = rates(str(known["id"]).partition("/")[0])
    lists = [field for field in event.schema if _is_signal(field)]
    seconds = event["duration_seconds"][0].as_py() if "duration_seconds" in event.schema.names else None
    signals = (_envelope(field.name, event[field.name], of_recording.get(field.name), seconds) for field in lists)
    return SignalExample(**known, signals=tuple(signal for signal in signals if signal.length))


def _is_signal(field: pa.Field) -> bool:
    if not pa.types.is_list(field.type):
        return False
    return bool(pa.types.is_integer(field.type.value_type) or pa.types.is_floating(field.type.value_type))


def _envelope(name: str, column: pa.ChunkedArray, rate_hz: float | None, seconds: float | None) -> SignalEnvelope:
    """The least and the greatest value of each of as many equal parts as are shown."""
    samples = _numbers(column)
    bounds = np.linspace(0, len(samples), min(POINTS, len(samples)), endpoint=False).astype(np.int64)
    least, greatest = (each.reduceat(samples, bounds) if len(samples) else samples for each in (np.fmin, np.fmax))
    return SignalEnvelope(
        column=name,
        length=len(samples),
        rate_hz=rate_hz or (len(samples) / seconds if seconds else None),
        minima=_finite(least),
        maxima=_finite(greatest),
    )


def _numbers(column: pa.ChunkedArray) -> Numbers:
    """The samples of a column of one row; NaN where one is missing."""
    values: Numbers = column.combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _finite(values: Numbers) -> tuple[float | None, ...]:
    return tuple(value if np.isfinite(value) else None for value in values.tolist())


def _key(digest: str) -> str:
    return f"examples/{digest}.json"


def _event_key(digest: str, number: int) -> str:
    return f"examples/{digest}/{number}.arrow"
