"""Drives with a real master and the launch script: what is recorded, whatever happens to the car's parts."""

import itertools
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.collector.car import SENSORS, Car, Clock, Set
from tests.collector.wired import Wires

pytestmark = pytest.mark.system

INTERVAL, TOLERANCE = 0.2, 0.05
LOST_SECONDS = 2.0
TOPICS = {"/set", *(f"/{name}" for name in SENSORS)}
GAS = 0x76
Cars = Callable[..., Car]


def flat(parts: Sequence[Sequence[Set]]) -> list[Set]:
    return list(itertools.chain.from_iterable(parts))


def whole(parts: Sequence[Sequence[Set]]) -> list[Set]:
    """The sets with messages of all sensors, which have to agree in time."""
    found = [each for each in flat(parts) if each.keys() == TOPICS]
    for each in found:
        stamps = [message["stamp"] for message in each.values()]
        assert max(stamps) - min(stamps) <= TOLERANCE
    return found


def gaps(sets: Sequence[Set], topic: str, first: str, length: str) -> list[int]:
    """Between messages that follow each other: how much is missing."""
    messages = [each[topic] for each in sets]
    return [after[first] - before[first] - before[length] for before, after in itertools.pairwise(messages)]


def pauses(sets: Sequence[Set]) -> list[float]:
    """Seconds between sets that follow each other, on the clock that nobody sets."""
    return [after["/set"]["monotonic"] - before["/set"]["monotonic"] for before, after in itertools.pairwise(sets)]


@pytest.fixture
def wires(tmp_path: Path) -> Iterator[Wires]:
    made = Wires(tmp_path / "wires")
    made.particles.plug_in()
    yield made
    made.particles.unplug()


def test_sensors_and_nodes_come_and_go_and_the_drive_is_recorded(
    cars: Cars, wires: Wires, capsys: pytest.CaptureFixture[str]
) -> None:
    # A busy machine may not come round for 0.3 s, which is as much as the accelerometer keeps at this rate.
    sensors = wires.settings() | {"microphones": {"rate": 16_000, "channels": 8}, "acceleration": {"rate": 100}}
    car = cars(sim=False, interval=INTERVAL, tolerance=TOLERANCE, sensors=sensors, recording={"sync_seconds": 0.5})
    wires.lead_from(car)
    car.start()
    for name in SENSORS:
        car.wait_for_log(f"{name}: it answers.")
    car.wait_for(car.active_bytes, "the first set")
    began = time.monotonic()
    with capsys.disabled():
        print(f"\n{car.usage(4.0)}")  # noqa: T201
    undisturbed = time.monotonic() - began

    wires.particles.unplug()
    car.wait_for_log("air: ", times=2)
    wires.particles.plug_in()
    car.wait_for_log("air: it answers again")
    wires.set_plugged(GAS, is_plugged_in=False)
    car.wait_for_log("gas: ", times=2)
    wires.set_plugged(GAS, is_plugged_in=True)
    car.wait_for_log("gas: it answers again")
    car.kill("sensor_acceleration")
    car.wait_for_log("acceleration: it answers.", times=2)
    car.wait_for_recording(300_000)
    killed = time.monotonic()
    car.kill("listener")
    car.wait_for_log("Salvaged")
    car.wait_for_recording(300_000)
    car.stop()

    assert [each["reason"] for each in car.manifests()] == ["salvaged", "shutdown"]
    parts = car.sets()
    assert [each["sets"] for each in car.manifests()] == [len(part) for part in parts]
    sets = whole(parts)
    assert sets[-1]["/set"]["stamp"] > sets[0]["/set"]["stamp"]
    first = [each for each in sets if each["/set"]["monotonic"] <= began + undisturbed]
    assert len(first) >= 0.8 * undisturbed / INTERVAL
    for topic in TOPICS:
        ticks = [each[topic]["stamp"] / INTERVAL for each in first]
        assert ticks == pytest.approx([round(tick) for tick in ticks], rel=0, abs=0.01)
        assert statistics.median(after - before for before, after in itertools.pairwise(ticks)) == pytest.approx(1)
    assert set(gaps(first, "/microphones", "first_frame", "frames")) == {0}
    assert set(gaps(first, "/acceleration", "first_sample", "samples")) == {0}
    last_before = max(each["/set"]["monotonic"] for each in parts[0])
    assert killed - last_before <= LOST_SECONDS


def test_the_clock_may_be_set_by_an_hour_both_ways(cars: Cars, tmp_path: Path) -> None:
    car, clock = cars(interval=INTERVAL, tolerance=TOLERANCE), Clock(tmp_path)
    clock.show(car)
    car.start()
    car.wait_for(lambda: car.active_bytes() > 2_000_000, "some sets")
    for seconds, parts in ((3600, 1), (0, 2)):
        clock.set(seconds)
        car.wait_for(lambda parts=parts: len(car.finished()) == parts and car.active_bytes() > 2_000_000, "a new part")  # type: ignore[misc]
    car.stop()
    assert [each["reason"] for each in car.manifests()] == ["clock", "clock", "shutdown"]
    parts_of = car.sets()
    sets = whole(parts_of)
    assert len(sets) == len(flat(parts_of))
    assert max(pauses(sets)) <= LOST_SECONDS
    starts = [part[0]["/set"]["stamp"] for part in parts_of]
    assert starts[1] - starts[0] > 3_600
    assert starts[1] - starts[2] > 3_500


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own at a folder."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_costs_nothing_that_is_recorded_and_uploads_make_room(cars: Cars) -> None:
    recording = {"part_megabytes": 3.0, "keep_free_megabytes": 4.0}
    car = cars(interval=INTERVAL, tolerance=TOLERANCE, recording=recording)
    with small_disk(car.recordings, 16):
        (car.recordings / "other").write_bytes(bytes(5_000_000))
        car.start()
        car.wait_for_log("The disk is full")
        assert list(car.recordings.glob("*.active")) == []
        full, sets = car.finished(), car.sets()
        assert [each["sets"] for each in car.manifests()] == [len(part) for part in sets]
        assert car.manifests()[-1]["reason"] in {"disk", "size"}
        for part in full[:-1]:
            part.with_name(part.name + ".uploaded").touch()
        car.wait_for(car.active_bytes, "recording to go on")
        car.wait_for(lambda: not full[0].exists(), "the oldest part to be deleted")
        assert full[-1].exists()
        car.stop()
        assert set(gaps(flat(sets), "/microphones", "first_frame", "frames")) == {0}
