"""The particle sensor, emulated at the wire: a pseudo-terminal with frames, noise between them, and an end."""

import itertools
import os
import struct
import time
import tty
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_collector.drivers import SensorError
from atlas_collector.drivers.particles import FRAME_BYTES, Concentrations, Frames, Particles
from tests.collector.waiting import until

OTHERS = (1, 2, 3)  # concentrations of another definition, which come first
COUNTS = (900, 270, 40, 5, 1, 0)


def frame(pm1_0: int, pm2_5: int, pm10: int) -> bytes:
    """As the sensor sends it."""
    content = struct.pack(">2sH13H", b"BM", 28, *OTHERS, pm1_0, pm2_5, pm10, *COUNTS, 0x9700)
    return content + struct.pack(">H", sum(content))


concentration = st.integers(0, 1000)
measured = st.builds(Concentrations, concentration, concentration, concentration)
noise = st.binary(max_size=40) | st.sampled_from([b"B", b"BM", b"BM\x00", b"BM\x00\x1c", b"BM\x00\x1c" * 9])


def sent(value: Concentrations) -> bytes:
    return frame(value.pm1_0, value.pm2_5, value.pm10)


@given(parts=st.lists(st.tuples(noise, measured), max_size=5), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_every_frame_is_found_between_noise_however_it_comes(
    parts: list[tuple[bytes, Concentrations]], cuts: list[int]
) -> None:
    wire = b"".join(before + sent(value) for before, value in parts) + bytes(FRAME_BYTES)
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    frames = Frames()
    found = [value for begin, end in itertools.pairwise(places) for value in frames.feed(wire[begin:end])]
    assert found == [value for _, value in parts]


@given(value=measured, place=st.integers(0, FRAME_BYTES - 1), flip=st.integers(1, 255))
def test_a_frame_with_a_wrong_byte_is_left_out_and_the_next_is_found(
    value: Concentrations, place: int, flip: int
) -> None:
    damaged = bytearray(sent(value))
    damaged[place] ^= flip
    assert Frames().feed(bytes(damaged) + sent(value) + bytes(FRAME_BYTES)) == [value]


@given(value=measured, length=st.integers(0, FRAME_BYTES - 1))
def test_of_a_frame_that_was_cut_off_nothing_is_invented(value: Concentrations, length: int) -> None:
    frames = Frames()
    assert frames.feed(sent(value)[:length]) == []
    assert frames.feed(sent(value)) == [value]


def test_endless_noise_does_not_fill_the_memory() -> None:
    frames = Frames()
    for _ in range(100):
        frames.feed(b"BM\x00\x1d" * 100)
    assert len(frames._pending) < FRAME_BYTES


class Line:
    """A pseudo-terminal: what is written to it, the driver reads from its port."""

    def __init__(self) -> None:
        self._end, inner = os.openpty()
        tty.setraw(inner)
        self.port = os.ttyname(inner)
        os.close(inner)
        self._is_open = True

    def send(self, content: bytes) -> None:
        os.write(self._end, content)

    def unplug(self) -> None:
        if self._is_open:
            os.close(self._end)
        self._is_open = False


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.unplug()


@pytest.fixture
def particles(line: Line) -> Iterator[Particles]:
    driver = Particles({"port": line.port, "silence": 60})
    driver.open()
    yield driver
    driver.close()


def test_the_newest_value_is_read_with_its_age(line: Line, particles: Particles) -> None:
    assert particles.read() is None
    line.send(b"noise" + frame(4, 5, 6) + frame(7, 12, 15))
    first = until(particles.read)
    assert first.items() >= {"pm1_0": 7, "pm2_5": 12, "pm10": 15}.items()
    time.sleep(0.1)
    second = particles.read()
    assert second is not None
    assert second["pm2_5"] == 12
    assert isinstance(first["age"], float) and isinstance(second["age"], float)
    assert second["age"] >= first["age"] + 0.1


def test_a_sensor_that_says_nothing_any_more_counts_as_unplugged(line: Line) -> None:
    driver = Particles({"port": line.port, "silence": 0.1})
    driver.open()
    line.send(frame(7, 12, 15))
    time.sleep(0.15)
    with pytest.raises(SensorError, match="has sent nothing"):
        until(lambda: driver.read() and None)
    driver.close()


def test_a_line_that_has_gone_is_told_and_another_can_be_opened(line: Line, particles: Particles) -> None:
    line.unplug()
    with pytest.raises(SensorError, match=r"has gone .*: plug it in again"):
        until(particles.read)
    particles.close()
    with pytest.raises(SensorError, match=r"cannot be opened .*: is the particle sensor plugged in"):
        particles.open()
