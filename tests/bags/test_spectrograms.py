"""Spectrograms of parts of any length."""

from pathlib import Path

import numpy as np
import pytest

from bags import Channel, archive
from bags.spectrograms import spectrogram
from tests.bags.test_archive import START, CountingFolder, archived

RATE_HZ = 8000


def tones(seconds: int) -> Channel:
    """Half as loud as it can be: 1 kHz in the first half, 3 kHz in the second."""
    time = np.arange(seconds * RATE_HZ) / RATE_HZ
    frequency = np.where(time < seconds / 2, 1000, 3000)
    values = (16383 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)
    return Channel(name="microphone", values=values, rate_hz=float(RATE_HZ), start_ns=START)


def test_a_tone_is_where_and_as_loud_as_it_is(tmp_path: Path) -> None:
    found = spectrogram(archived(tmp_path, tones(4)), "microphone", 0.0, 4.0, columns=100, rows=129)
    rows, columns = found.levels.shape
    loudest = found.levels.argmax(axis=0) * found.highest_hz / (rows - 1)
    assert (rows, columns, found.highest_hz, found.is_sampled) == (129, 100, 4000.0, False)
    assert loudest[10] == pytest.approx(1000, abs=32)
    assert loudest[90] == pytest.approx(3000, abs=32)
    assert found.levels[:, 10].max() == pytest.approx(-6.0, abs=0.2)
    assert found.top_db == pytest.approx(-6.0, abs=0.1)


def test_a_long_part_costs_no_more_than_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bags.spectrograms._AT_ONCE", 1000)
    archived(tmp_path, tones(60))
    folder = CountingFolder(tmp_path)
    read = archive.Archive(folder)
    before = folder.bytes_read
    found = spectrogram(read, "microphone", 0.0, 60.0, columns=50, rows=129)
    assert found.is_sampled
    assert folder.bytes_read - before < 50 * 2 * 1000
    assert found.levels[:, 10].argmax() * 4000 / 128 == pytest.approx(1000, abs=32)


def test_what_is_missing_has_no_level(tmp_path: Path) -> None:
    channel = tones(2)
    channel.values[: RATE_HZ // 2] = 0
    found = spectrogram(archived(tmp_path, channel), "microphone", 0.0, 2.0, columns=40)
    assert np.isnan(found.levels[:, :8]).all()
    assert np.isfinite(found.levels[20:, 20:]).all()


def test_a_part_may_be_as_short_as_a_blink_but_no_shorter(tmp_path: Path) -> None:
    read = archived(tmp_path, tones(1))
    assert spectrogram(read, "microphone", 0.5, 0.505).levels.shape[1] >= 1
    with pytest.raises(archive.ArchiveError, match="needs 16"):
        spectrogram(read, "microphone", 0.5, 0.501)


def test_samples_without_a_rate_have_no_spectrum(tmp_path: Path) -> None:
    times = np.sort(np.random.default_rng(0).integers(START, START * 2, 100))
    with pytest.raises(archive.ArchiveError, match="no spectrum"):
        spectrogram(archived(tmp_path, Channel(name="a", values=np.ones(100), times=times)), "a", 0, 1)
