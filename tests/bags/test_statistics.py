"""What is said of a channel as a whole, and where its sensor said nothing."""

import json
from pathlib import Path

import numpy as np
import pytest

from bags import Channel, archive, statistics
from bags.signals import NANOSECONDS
from tests.bags.test_archive import START, CountingFolder, archived, sound


def test_samples_are_summed_up_as_numpy_does() -> None:
    values = np.random.default_rng(1).normal(1e6, 2.0, 10_000)
    found = statistics.of(Channel(name="pressure", values=values, rate_hz=10.0))
    assert (found.samples, found.rate_hz, found.missing, found.gaps) == (10_000, 10.0, 0, 0)
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    assert (found.mean, found.deviation) == pytest.approx((values.mean(), values.std()), rel=1e-9)
    assert found.rms == pytest.approx(np.sqrt(np.mean(values**2)))


def test_zeros_in_a_gap_and_values_that_are_none_are_missing() -> None:
    values = np.array([5, 0, 0, 7, np.nan, 6], np.float32)
    gaps = ((START + 1 * NANOSECONDS, START + 3 * NANOSECONDS),)
    found = statistics.of(Channel(name="a", values=values, rate_hz=1.0, start_ns=START, gaps=gaps))
    assert (found.samples, found.missing, found.share_missing) == (6, 3, 0.5)
    assert (found.minimum, found.maximum, found.mean) == (5.0, 7.0, 6.0)
    assert (found.gaps, found.longest_gap_seconds) == (1, 2.0)


def test_of_a_channel_without_values_nothing_is_said() -> None:
    found = statistics.of(Channel(name="a", values=np.full(3, np.nan), rate_hz=1.0))
    assert (found.missing, found.minimum, found.mean, found.rms) == (3, None, None, None)


def test_pieces_make_the_same_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = sound(5000)
    whole = statistics.of(channel)
    monkeypatch.setattr(statistics, "PIECE", 7)
    pieces = statistics.of(channel)
    assert (pieces.samples, pieces.minimum, pieces.maximum) == (whole.samples, whole.minimum, whole.maximum)
    assert (pieces.mean, pieces.rms) == pytest.approx((whole.mean, whole.rms))


@pytest.mark.parametrize("is_old", [False, True])
def test_an_archive_tells_them_whether_it_was_written_with_them_or_not(tmp_path: Path, is_old: bool) -> None:
    gaps = ((START + NANOSECONDS // 100, START + NANOSECONDS // 50),)
    channel = Channel(name="a", values=np.arange(9600, dtype=np.int16), rate_hz=48_000.0, start_ns=START, gaps=gaps)
    times = START + np.arange(50) * NANOSECONDS
    archived(tmp_path, channel, Channel(name="b", values=np.arange(50.0), times=times))
    if is_old:
        index = tmp_path / archive.INDEX_FILE
        document = json.loads(index.read_text())
        del document["statistics"]
        index.write_text(json.dumps(document))
    read = archive.Archive(CountingFolder(tmp_path))
    assert read.statistics("a") == statistics.of(channel)
    assert (read.statistics("a").missing, read.statistics("b").rate_hz) == (480, 1.0)


def test_a_sensor_that_was_unplugged_has_a_gap(tmp_path: Path) -> None:
    times = START + np.array([*range(20), *range(50, 60)]) * NANOSECONDS
    [found] = archived(tmp_path, Channel(name="air/pm2_5", values=np.ones(30), times=times)).channels
    assert found.gaps == ((START + 20 * NANOSECONDS, START + 50 * NANOSECONDS),)


def test_what_comes_when_something_happens_misses_nothing() -> None:
    times = START + np.cumsum(np.random.default_rng(2).integers(1, 10_000, 500)) * 1_000_000
    assert statistics.pauses(times) == []
    assert statistics.pauses(times[:5]) == []
