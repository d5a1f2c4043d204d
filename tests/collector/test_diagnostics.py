"""A person reads in one line how the recording goes, and a machine in the statuses."""

from dataclasses import replace
from pathlib import Path

import pytest

from atlas_collector import board, diagnostics
from atlas_collector.diagnostics import Level, Period, Snapshot
from atlas_collector.recorder import Recorded
from atlas_collector.synchroniser import Counts, Drop

BEFORE = Snapshot(
    monotonic=100,
    counts=Counts({"/air": 10, "/gas": 10}, {"/air": {Drop.FUTURE: 5}, "/gas": {}}, 5),
    recorded=Recorded(sets=5),
)
AFTER = Snapshot(
    monotonic=160,
    counts=Counts({"/air": 70, "/gas": 70}, {"/air": {Drop.FUTURE: 5}, "/gas": {}}, 65),
    recorded=Recorded(sets=65, part=Path("20261127T101500Z-0003.bag.active"), part_bytes=41_000_000, synced=158.5),
    free_bytes=23_100_000_000,
    temperature=52.3,
    is_undervolted=False,
)
LOSSES = Counts({"/air": 70, "/gas": 10}, {"/air": {Drop.FUTURE: 5, Drop.NO_PARTNER: 58, Drop.CLOCK: 1}, "/gas": {}}, 7)
FULL = replace(AFTER.recorded, sets=7, refused=58, is_full=True, part=None)
FAILING = replace(AFTER.recorded, sets=5, failed=60, error="[Errno 5] Input/output error", part=None)


def told(after: Snapshot) -> dict[str, tuple[Level, str]]:
    return {status.name: (status.level, status.message) for status in diagnostics.statuses(Period(BEFORE, after))}


def test_when_all_is_well_the_line_says_what_was_recorded_and_where() -> None:
    assert diagnostics.line(Period(BEFORE, AFTER)) == (
        "Recording: 60 sets in the last minute, none dropped; air 1.0/s, gas 1.0/s; part 3, 41 MB; 23.1 GB free; 52 °C"
    )
    assert diagnostics.level(Period(BEFORE, AFTER)) is Level.OK


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (
            replace(AFTER, counts=LOSSES, recorded=replace(AFTER.recorded, sets=7)),
            (
                "Recording: 2 sets in the last minute, dropped: air 1 (clock was set) and 58 (no partner); air 1.0/s, "
                "gas 0.0/s; part 3, 41 MB; 23.1 GB free; 52 °C"
            ),
        ),
        (
            replace(AFTER, recorded=FULL, free_bytes=180_000_000, is_undervolted=True, temperature=None),
            (
                "NOT RECORDING, THE DISK IS FULL: 2 sets in the last minute, dropped: 58 sets refused; air 1.0/s, "
                "gas 1.0/s; 180 MB free; THE POWER SUPPLY IS TOO WEAK"
            ),
        ),
        (
            replace(AFTER, recorded=FAILING, free_bytes=None, monotonic=130),
            (
                "NOT RECORDING, [Errno 5] Input/output error: 0 sets in the last 30 s, dropped: 60 sets failed; "
                "air 2.0/s, gas 2.0/s; 52 °C"
            ),
        ),
        (
            replace(AFTER, recorded=replace(AFTER.recorded, sets=5), overrun=3),
            (
                "NOT RECORDING, NO SETS: 0 sets in the last minute, dropped: 3 sets overrun; air 1.0/s, gas 1.0/s; "
                "part 3, 41 MB; 23.1 GB free; 52 °C"
            ),
        ),
    ],
    ids=["drops", "full", "failing", "overrun"],
)
def test_when_something_is_wrong_the_line_begins_with_it(after: Snapshot, line: str) -> None:
    assert diagnostics.line(Period(BEFORE, after)) == line


def test_a_status_has_the_numbers_behind_it() -> None:
    recording, computer, air, _ = diagnostics.statuses(Period(BEFORE, AFTER))
    assert dict(recording.values) == {
        "sets": "65",
        "sets per second": "1.00",
        "sets refused": "0",
        "sets failed": "0",
        "sets overrun": "0",
        "part": "20261127T101500Z-0003.bag.active",
        "part bytes": "41000000",
        "seconds since last on disk": "1.5",
        "free bytes": "23100000000",
    }
    assert dict(computer.values) == {"temperature": "52.3", "undervoltage": "no"}
    assert dict(air.values) == {
        "rate": "1.00",
        "received": "70",
        "dropped, no partner": "0",
        "dropped, too old": "0",
        "dropped, duplicate": "0",
        "dropped, stamp in the future": "5",
        "dropped, clock was set": "0",
    }


def test_a_silent_sensor_and_one_whose_messages_are_dropped_are_warnings() -> None:
    found = told(replace(AFTER, counts=LOSSES))
    assert found["/gas"] == (Level.WARN, "Silent")
    assert found["/air"] == (Level.WARN, "Dropped: 1 (clock was set) and 58 (no partner)")


@pytest.mark.parametrize(
    ("recorded", "level", "message"),
    [
        (AFTER.recorded, Level.OK, "Recording"),
        (FULL, Level.ERROR, "The disk is full: nothing is recorded"),
        (FAILING, Level.ERROR, "Cannot record: [Errno 5] Input/output error"),
        (replace(AFTER.recorded, synced=140), Level.WARN, "Nothing was brought onto the disk for 20 s"),
        (BEFORE.recorded, Level.WARN, "No sets: the sensors do not agree in time, or one is silent"),
    ],
    ids=["well", "full", "failing", "late", "none"],
)
def test_the_recording_is_judged(recorded: Recorded, level: Level, message: str) -> None:
    assert told(replace(AFTER, recorded=recorded))["recording"] == (level, message)


def test_a_disk_that_cannot_keep_up_is_an_error() -> None:
    assert told(replace(AFTER, overrun=3))["recording"] == (Level.ERROR, "The disk is too slow: 3 sets dropped")


def test_a_weak_supply_and_a_hot_processor_are_warnings() -> None:
    found = told(replace(AFTER, is_undervolted=True, temperature=81.2))
    assert found["computer"] == (Level.WARN, "The power supply is too weak; The processor is hot: 81 °C")


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_temperature_is_the_processors_own(tmp_path: Path) -> None:
    for number, (kind, temperature) in enumerate([("acpitz", "20000"), ("cpu-thermal", "52342")]):
        written(tmp_path / f"class/thermal/thermal_zone{number}/type", f"{kind}\n")
        written(tmp_path / f"class/thermal/thermal_zone{number}/temp", f"{temperature}\n")
    assert board.temperature(tmp_path) == 52.342


@pytest.mark.parametrize(("alarm", "expected"), [("1", True), ("0", False)])
def test_a_weak_supply_is_read(tmp_path: Path, alarm: str, expected: bool) -> None:
    written(tmp_path / "class/hwmon/hwmon1/name", "rpi_volt\n")
    written(tmp_path / "class/hwmon/hwmon1/in0_lcrit_alarm", f"{alarm}\n")
    assert board.is_undervolted(tmp_path) is expected


def test_a_computer_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    assert board.temperature(tmp_path) is None
    assert board.is_undervolted(tmp_path) is None
