"""The page on which the signals of a recording are looked at: of one that the engine keeps, or of a file alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bags.archive import Archive, ArchivedChannel
from bags.drops import drops
from bags.export import Format
from bags.listening import LEAST_SOUND_HZ
from bags.signals import NANOSECONDS
from ingestion_engine.pages import shown
from ui import formats

MOST_GAPS = 200
"""So many are listed; the charts show all."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A recording that is looked at.

    Attributes:
        name: of the recording.
        archive: its signals.
        addresses: of what the page asks for: `envelope`, `sound`, `spectrogram`, `statistics`, `export`.
        facts: what is said below its name.
        crumbs: the pages above it.
        labels: where its events are labelled; nothing for a file that no engine keeps.
    """

    name: str
    archive: Archive
    addresses: dict[str, str]
    facts: Sequence[tuple[str, object]] = ()
    crumbs: Sequence[tuple[str, str]] = ()
    labels: str = ""


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """The channels that one topic has, or one file of sound."""

    name: str
    channels: list[ArchivedChannel] = field(default_factory=list)

    def short(self) -> list[tuple[ArchivedChannel, str]]:
        """The channels and their names within the sensor."""
        return [(each, each.name.removeprefix(self.name).lstrip("/.") or each.name) for each in self.channels]


def page(request: HttpRequest, opened: Opened, *, problem: str = "", status: int = 200) -> HttpResponse:
    """The page; it asks for all that takes longer."""
    archive = opened.archive
    context = {
        "opened": opened,
        "problem": problem,
        "losses": archive.losses,
        "sensors": sensors(archive),
        "shown": _shown(opened),
        "formats": [(each.value, each.name.capitalize() if each is Format.PARQUET else each.name) for each in Format],
    }
    return render(request, "ingestion_engine/viewer.html", context, status=status)


def statistics(request: HttpRequest, archive: Archive) -> HttpResponse:
    """What each channel is like as a whole, and where samples and messages are missing: a part of the page."""
    gaps = _gaps(archive)
    context = {
        "channels": [(each, archive.statistics(each.name)) for each in archive.channels],
        "gaps": [
            (sensor, start, end, shown.offset(start), formats.duration(end - start))
            for sensor, start, end in gaps[:MOST_GAPS]
        ],
        "untold": max(len(gaps) - MOST_GAPS, 0),
        "drops": [(drop, shown.offset(drop.seconds)) for drop in drops(archive)[:MOST_GAPS]],
    }
    return render(request, "ingestion_engine/parts/statistics.html", context)


def sensors(archive: Archive) -> list[Sensor]:
    """The channels by sensor, in the order of the recording."""
    return [Sensor(name=name, channels=list(found)) for name, found in groupby(archive.channels, _sensor)]


def _sensor(channel: ArchivedChannel) -> str:
    """`air` of `air/pm2_5`, `microphones` of `microphones.3`."""
    stem, dot, number = channel.name.rpartition(".")
    if dot and number.isdigit():
        return stem
    return channel.name.rpartition("/")[0] or channel.name


def _gaps(archive: Archive) -> list[tuple[str, float, float]]:
    """Sensor, start and end of each, in the order of time; those that all channels of a sensor have are one."""
    found = {(_sensor(channel), *gap) for channel in archive.channels for gap in channel.gaps}
    ordered = sorted(found, key=lambda gap: (gap[1], gap[0]))
    return [(sensor, _seconds(archive, start), _seconds(archive, end)) for sensor, start, end in ordered]


def _seconds(archive: Archive, time_ns: int) -> float:
    return (time_ns - archive.start_ns) / NANOSECONDS


def _shown(opened: Opened) -> dict[str, Any]:
    """What the script that draws the signals is told."""
    archive = opened.archive
    return {
        "duration": archive.duration_seconds,
        "channels": [_told(archive, each) for each in archive.channels],
        "drops": [asdict(drop) for drop in drops(archive)],
        **opened.addresses,
    }


def _told(archive: Archive, channel: ArchivedChannel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "unit": channel.unit,
        "gaps": [(_seconds(archive, start), _seconds(archive, end)) for start, end in channel.gaps],
        "sound": (channel.rate_hz or 0.0) >= LEAST_SOUND_HZ,
        "spectrum": channel.rate_hz is not None,
    }
