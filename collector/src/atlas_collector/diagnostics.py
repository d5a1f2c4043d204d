"""What the listener tells about itself: statuses for `/diagnostics` each second, and a line a minute for the log."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from atlas_collector.parts import number
from atlas_collector.recorder import Recorded
from atlas_collector.synchroniser import Counts, Drop

_HOT = 80.0  # °C; there a Raspberry Pi begins to slow itself down
_LATE_SECONDS = 10.0  # what was written should long be on the disk


class Level(IntEnum):
    """As diagnostic_msgs/DiagnosticStatus has them."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that is known at one moment.

    Attributes:
        monotonic: the moment, in seconds.
        counts: what the synchroniser has seen.
        recorded: what the recorder has done.
        overrun: sets that were dropped because the disk was too slow to take them.
        free_bytes: on the disk of the recordings; None if it cannot be asked.
        temperature: of the processor, in °C; None if unknown.
        is_undervolted: whether the supply is too weak; None if unknown.
    """

    monotonic: float
    counts: Counts
    recorded: Recorded
    overrun: int = 0
    free_bytes: int | None = None
    temperature: float | None = None
    is_undervolted: bool | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """One line of `/diagnostics`: what it is about, how it is, and the numbers behind that."""

    name: str
    level: Level
    message: str
    values: Mapping[str, str]


class Period:
    """What happened from one snapshot to another."""

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self._before, self.after = before, after
        self.seconds = max(after.monotonic - before.monotonic, 1e-3)
        self.sets = after.recorded.sets - before.recorded.sets
        self.refused = after.recorded.refused - before.recorded.refused
        self.failed = after.recorded.failed - before.recorded.failed
        self.overrun = after.overrun - before.overrun

    def rate(self, topic: str) -> float:
        """Messages a second."""
        return (self.after.counts.received[topic] - self._before.counts.received[topic]) / self.seconds

    def dropped(self, topic: str) -> Counter[Drop]:
        """How many messages were dropped, by reason."""
        return Counter(self.after.counts.dropped[topic]) - Counter(self._before.counts.dropped[topic])


def statuses(period: Period) -> list[Status]:
    """One about the recording, one about the computer, and one for each sensor."""
    sensors = [_sensor(period, topic) for topic in sorted(period.after.counts.received)]
    return [_recording(period), _computer(period.after), *sensors]


def line(period: Period) -> str:
    """The period in one line that a person reads.

    Such as: Recording: 60 sets in the last minute, none dropped; air 1.0/s, gas 1.0/s; part 3, 41 MB; 23.1 GB free;
    52 °C.
    """
    topics = sorted(period.after.counts.received)
    rates = ", ".join(f"{topic.lstrip('/')} {period.rate(topic):.1f}/s" for topic in topics)
    first = f"{_verb(period)}: {period.sets} sets in the last {_duration(period.seconds)}, {_drops(period)}"
    return "; ".join([first, *([rates] if rates else []), *_place(period.after)])


def level(period: Period) -> Level:
    """The worst of all statuses."""
    return max(status.level for status in statuses(period))


def size(count: float) -> str:
    """Bytes as a person reads them."""
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.0f} MB"
    return f"{count / 1_000_000_000:.1f} GB"


def _recording(period: Period) -> Status:
    recorded = period.after.recorded
    since = None if recorded.synced is None else period.after.monotonic - recorded.synced
    found, message = _judged(period, since)
    values = {
        "sets": str(recorded.sets),
        "sets per second": f"{period.sets / period.seconds:.2f}",
        "sets refused": str(recorded.refused),
        "sets failed": str(recorded.failed),
        "sets overrun": str(period.after.overrun),
        "part": recorded.part.name if recorded.part else "",
        "part bytes": str(recorded.part_bytes),
        "seconds since last on disk": "" if since is None else f"{since:.1f}",
        "free bytes": "" if period.after.free_bytes is None else str(period.after.free_bytes),
    }
    return Status("recording", found, message, values)


def _judged(period: Period, since: float | None) -> tuple[Level, str]:
    recorded = period.after.recorded
    if recorded.is_full:
        return Level.ERROR, "The disk is full: nothing is recorded"
    if recorded.error:
        return Level.ERROR, f"Cannot record: {recorded.error}"
    if period.overrun:
        return Level.ERROR, f"The disk is too slow: {period.overrun} sets dropped"
    if recorded.part and since is not None and since > _LATE_SECONDS and period.sets:
        return Level.WARN, f"Nothing was brought onto the disk for {since:.0f} s"
    if not period.sets:
        return Level.WARN, "No sets: the sensors do not agree in time, or one is silent"
    return Level.OK, "Recording"


def _computer(after: Snapshot) -> Status:
    is_hot = after.temperature is not None and after.temperature >= _HOT
    complaints = [
        *(["The power supply is too weak"] if after.is_undervolted else []),
        *([f"The processor is hot: {after.temperature:.0f} °C"] if is_hot else []),
    ]
    values = {
        "temperature": "" if after.temperature is None else f"{after.temperature:.1f}",
        "undervoltage": {None: "", True: "yes", False: "no"}[after.is_undervolted],
    }
    return Status("computer", Level.WARN if complaints else Level.OK, "; ".join(complaints) or "OK", values)


def _sensor(period: Period, topic: str) -> Status:
    rate, dropped = period.rate(topic), period.dropped(topic)
    totals = period.after.counts.dropped[topic]
    values = {"rate": f"{rate:.2f}", "received": str(period.after.counts.received[topic])}
    values |= {f"dropped, {reason}": str(totals.get(reason, 0)) for reason in Drop}
    if not rate:
        return Status(topic, Level.WARN, "Silent", values)
    if dropped:
        return Status(topic, Level.WARN, f"Dropped: {_reasons(dropped)}", values)
    return Status(topic, Level.OK, f"{rate:.1f}/s", values)


def _verb(period: Period) -> str:
    recorded = period.after.recorded
    if recorded.is_full:
        return "NOT RECORDING, THE DISK IS FULL"
    if recorded.error:
        return f"NOT RECORDING, {recorded.error}"
    return "Recording" if period.sets else "NOT RECORDING, NO SETS"


def _drops(period: Period) -> str:
    lost = [
        f"{topic.lstrip('/')} {_reasons(dropped)}"
        for topic in sorted(period.after.counts.received)
        if (dropped := period.dropped(topic))
    ]
    sets = [
        f"{count} sets {what}"
        for count, what in ((period.refused, "refused"), (period.failed, "failed"), (period.overrun, "overrun"))
        if count
    ]
    return f"dropped: {', '.join([*lost, *sets])}" if lost or sets else "none dropped"


def _reasons(dropped: Mapping[Drop, int]) -> str:
    return " and ".join(f"{count} ({reason})" for reason, count in sorted(dropped.items()))


def _place(after: Snapshot) -> Iterator[str]:
    if after.recorded.part:
        yield f"part {number(after.recorded.part)}, {size(after.recorded.part_bytes)}"
    if after.free_bytes is not None:
        yield f"{size(after.free_bytes)} free"
    if after.temperature is not None:
        yield f"{after.temperature:.0f} °C"
    if after.is_undervolted:
        yield "THE POWER SUPPLY IS TOO WEAK"


def _duration(seconds: float) -> str:
    return "minute" if round(seconds) == 60 else f"{seconds:.0f} s"
