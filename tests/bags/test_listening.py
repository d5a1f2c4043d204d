"""A part of a channel as WAV, whole and in parts."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bags import Channel
from bags.archive import ArchiveError
from bags.listening import Listening
from tests.bags.test_archive import START, archived

VALUES = np.sin(np.arange(16_000) / 7).astype(np.float32) / 100 + 3


def channel(rate_hz: float = 8000.0) -> Channel:
    return Channel(name="sound", values=VALUES.copy(), rate_hz=rate_hz, start_ns=START)


def test_a_quiet_part_is_heard_without_its_offset(tmp_path: Path) -> None:
    heard = Listening(archived(tmp_path, channel()), "sound", 0.5, 1.5)
    samples, rate = soundfile.read(io.BytesIO(heard.read(0, heard.size_bytes)))
    assert (rate, len(samples)) == (8000, 8000)
    assert np.abs(samples).max() == pytest.approx(0.9, abs=0.01)
    assert np.corrcoef(samples, VALUES[4000:12_000])[0, 1] > 0.999


@pytest.mark.parametrize(("first", "stop"), [(0, 10), (40, 50), (44, 45), (45, 1001), (31_000, 99_999), (44, 44)])
def test_any_bytes_are_those_of_the_whole(tmp_path: Path, first: int, stop: int) -> None:
    heard = Listening(archived(tmp_path, channel()), "sound", 0.0, 2.0)
    whole = heard.read(0, heard.size_bytes)
    assert len(whole) == heard.size_bytes
    assert heard.read(first, stop) == whole[first:stop]


def test_missing_samples_are_silent(tmp_path: Path) -> None:
    holes = channel()
    holes.values[100:200] = np.nan
    heard = Listening(archived(tmp_path, holes), "sound", 0.0, 2.0)
    samples, _ = soundfile.read(io.BytesIO(heard.read(0, heard.size_bytes)))
    assert not samples[100:200].any()


def test_what_is_too_slow_is_no_sound(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no sound"):
        Listening(archived(tmp_path, channel(100.0)), "sound", 0.0, 2.0)
