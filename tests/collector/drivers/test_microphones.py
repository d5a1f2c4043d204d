"""No frame of sound is lost between ticks, and what is lost is a jump of the running number.

A program that counts stands in for `arecord`.
"""

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas_collector.drivers import SensorError, arecord
from atlas_collector.drivers.microphones import Microphones
from tests.collector.sound_card import SoundCard
from tests.collector.waiting import until

RATE = 11_025
SETTINGS = {"rate": RATE}
Chunk = tuple[int, list[int]]  # first frame, samples


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoundCard:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return SoundCard(tmp_path)


@pytest.fixture
def microphones(card: SoundCard, monkeypatch: pytest.MonkeyPatch) -> Iterator[Microphones]:
    monkeypatch.setattr("atlas_collector.drivers.microphones._SILENCE", 60.0)
    driver = Microphones(SETTINGS)
    yield driver
    driver.close()


def chunk(driver: Microphones) -> Chunk:
    fields = until(driver.read)
    data, first = fields["data"], fields["first_frame"]
    assert isinstance(data, bytes) and isinstance(first, int)
    assert (fields["sample_rate"], fields["channels"]) == (RATE, 8)
    assert len(data) % 16 == 0
    return first, list(struct.unpack(f"<{len(data) // 2}h", data))


def chunks(driver: Microphones, frames: int) -> list[Chunk]:
    read: list[Chunk] = []
    while sum(len(samples) for _, samples in read) < 8 * frames:
        time.sleep(0.03)
        read.append(chunk(driver))
    return read


def counted(begin: int, count: int) -> list[int]:
    return [number % 32768 for number in range(begin, begin + count)]


@pytest.mark.parametrize("sample_format", ["S16_LE", "S32_LE"])
def test_all_frames_come_in_their_order(card: SoundCard, microphones: Microphones, sample_format: str) -> None:
    card.set(format=sample_format)
    microphones.open()
    at = 0
    for first, samples in chunks(microphones, RATE // 2):
        assert first == at
        assert samples == counted(8 * at, len(samples))
        at += len(samples) // 8
    assert microphones.lost == 0


def test_a_card_that_was_unplugged_goes_on_behind_a_jump(card: SoundCard, microphones: Microphones) -> None:
    began_at = time.monotonic()
    microphones.open()
    first, samples = chunks(microphones, 1000)[-1]
    card.unplug()
    with pytest.raises(SensorError, match=r"records no more .*: is it plugged in"):
        while True:
            first, samples = chunk(microphones)
    microphones.close()
    with pytest.raises(SensorError, match="no sound card that records is plugged in"):
        microphones.open()
    card.set()
    microphones.open()
    end = first + len(samples) // 8
    first, samples = chunk(microphones)
    assert samples == counted(0, len(samples))
    assert first == end + microphones.lost
    assert 0 < first - end <= (time.monotonic() - began_at) * RATE


def test_a_card_that_is_silent_counts_as_unplugged(
    card: SoundCard, microphones: Microphones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_collector.drivers.microphones._SILENCE", 0.1)
    card.set(is_silent=True)
    microphones.open()
    with pytest.raises(SensorError, match=r"sent nothing for .*: plug them in again"):
        until(microphones.read)


def test_frames_that_the_card_lost_are_a_jump(card: SoundCard, microphones: Microphones) -> None:
    card.set(complaint="overrun!!! (at least 200.000 ms long)")
    microphones.open()
    frames = chunks(microphones, 2000)
    assert microphones.lost == round(0.2 * RATE)
    assert frames[-1][0] + len(frames[-1][1]) // 8 == sum(len(samples) // 8 for _, samples in frames) + microphones.lost


def test_the_firmware_with_fewer_channels_is_told(card: SoundCard, microphones: Microphones) -> None:
    card.set(channels="2")
    with pytest.raises(SensorError, match="hw:1,0 gives 2 channels, not 8: a UMA-8 gives 8 with its raw firmware"):
        microphones.open()


@pytest.mark.parametrize(
    ("is_like", "told"),
    [
        ({"rate": "[8000 11000]"}, "gives 8000 to 11000 frames per second: set 'rate'"),
        ({"format": "S24_3LE"}, "gives neither 16 nor 32 bits"),
        ({"cards": 2}, "set 'device' of the microphones to one of hw:1,0, hw:2,0"),
    ],
    ids=["rate", "format", "several"],
)
def test_a_card_that_does_not_fit_is_told(
    card: SoundCard, microphones: Microphones, is_like: dict[str, object], told: str
) -> None:
    card.set(**is_like)
    with pytest.raises(SensorError, match=told):
        microphones.open()


def test_a_device_that_is_not_there_is_told(card: SoundCard) -> None:
    card.set(cards=0)
    with pytest.raises(SensorError, match=r"hw:7,0 does not answer .*No such device.*: is it plugged in"):
        Microphones({"device": "hw:7,0"}).open()


def test_without_the_program_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SensorError, match="install Debian's package alsa-utils"):
        Microphones({}).open()


def test_of_32_bits_the_high_half_is_kept() -> None:
    samples = [0, 1, 65535, 65536, -1, -65536, -65537, 2**31 - 1, -(2**31)]
    kept = struct.unpack(f"<{len(samples)}h", arecord.high_halves(struct.pack(f"<{len(samples)}i", *samples)))
    assert list(kept) == [sample >> 16 for sample in samples]


@pytest.mark.system
def test_the_real_program_is_understood() -> None:
    """ALSA's device `null` offers everything, and gives frames as fast as it is fetched."""
    offer = arecord.offer("null", channels=8, rate=48000)
    assert offer.formats > {"S16_LE", "S32_LE"}
    assert offer.channels[0] == 1 and offer.channels[1] >= 8 and offer.rates[1] >= 48000
    with pytest.raises(SensorError, match=r"hw:31,0 does not answer .*: is it plugged in"):
        arecord.offer("hw:31,0", channels=8, rate=48000)
    driver = Microphones({"device": "null"})
    driver.open()
    try:
        data = until(driver.read)["data"]
    finally:
        driver.close()
    assert isinstance(data, bytes)
    assert len(data) > 0 and len(data) % 16 == 0
