"""Archives of decoded recordings: what is drawn of them is true, and costs few bytes at any zoom."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bags import Channel, Signals, archive
from bags.signals import NANOSECONDS

START = 1_700_000_000 * NANOSECONDS


class CountingFolder:
    """Reads files of a folder in parts, and counts the bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bytes_read = 0

    def __call__(self, filename: str, first: int, stop: int) -> bytes:
        with (self.folder / filename).open("rb") as stream:
            stream.seek(first)
            content = stream.read(stop - first)
        self.bytes_read += len(content)
        return content


def archived(folder: Path, *channels: Channel) -> archive.Archive:
    archive.write(Signals(channels=channels), folder)
    return archive.Archive(CountingFolder(folder))


def sound(samples: int, name: str = "microphone") -> Channel:
    values = np.random.default_rng(0).integers(-9000, 9000, samples).astype(np.int16)
    return Channel(name=name, values=values, rate_hz=48_000.0, start_ns=START)


def test_the_files_come_in_the_order_in_which_they_are_stored(tmp_path: Path) -> None:
    files = archive.write(Signals(channels=(sound(10),)), tmp_path)
    assert files == [tmp_path / archive.SAMPLES_FILE, tmp_path / archive.INDEX_FILE]


def test_an_archive_says_what_the_recording_holds(tmp_path: Path) -> None:
    gaps = ((START + 5, START + 10),)
    channel = Channel(name="a/b", unit="Pa", values=np.zeros(96, np.int16), rate_hz=48.0, start_ns=START, gaps=gaps)
    signals = Signals(channels=(channel,), is_dated=False, losses=("Something was lost.",))
    archive.write(signals, tmp_path)
    read = archive.Archive(CountingFolder(tmp_path))
    [found] = read.channels
    assert (found.name, found.unit, found.rate_hz, found.samples, found.dtype) == ("a/b", "Pa", 48.0, 96, "<i2")
    assert (found.start_ns, found.end_ns, found.gaps) == (START, START + 2 * NANOSECONDS, gaps)
    assert (read.start_ns, read.duration_seconds) == (START, 2.0)
    assert (read.is_dated, read.losses) == (False, ("Something was lost.",))


@pytest.mark.parametrize("samples", [1, 1000, 1025, 20_000, 400_000])
def test_every_sample_lies_within_the_envelope(tmp_path: Path, samples: int) -> None:
    channel = sound(samples)
    envelope = archived(tmp_path, channel).envelope("microphone", 0, 100, 300)
    assert len(envelope.times) <= 300
    assert envelope.minima.min() == channel.values.min()
    assert envelope.maxima.max() == channel.values.max()
    firsts = np.rint(envelope.times * 48_000).astype(int)
    assert (envelope.minima == np.minimum.reduceat(channel.values, firsts)).all()
    assert (envelope.maxima == np.maximum.reduceat(channel.values, firsts)).all()


def test_a_near_view_shows_each_sample(tmp_path: Path) -> None:
    channel = sound(100_000)
    envelope = archived(tmp_path, channel).envelope("microphone", 1.0, 1.001, 1000)
    assert envelope.minima.tolist() == envelope.maxima.tolist() == channel.values[48_000:48_048].tolist()
    assert envelope.times[0] == 1.0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), samples=st.integers(1, 20_000), start=st.floats(-1, 120), length=st.floats(0, 120))
def test_a_window_of_samples_without_a_rate_holds_those_of_its_time(
    tmp_path_factory: pytest.TempPathFactory, seed: int, samples: int, start: float, length: float
) -> None:
    random = np.random.default_rng(seed)
    offsets = np.sort(random.integers(0, 100 * NANOSECONDS, samples))
    channel = Channel(name="t", values=random.normal(size=samples), times=START + offsets)
    read = archived(tmp_path_factory.mktemp("archive"), channel)
    window = read.values("t", start, start + length)
    begin, end = (read.start_ns + round(seconds * NANOSECONDS) for seconds in (start, start + length))
    inside = (channel.times >= begin) & (channel.times < end)  # type: ignore[operator]
    assert window.values.tolist() == channel.values[inside].tolist()
    assert window.times is not None
    assert window.times.tolist() == (START + offsets)[inside].tolist()


def test_missing_numbers_do_not_hide_the_others(tmp_path: Path) -> None:
    values = np.full(5000, np.nan)
    values[17] = 4.0
    envelope = archived(tmp_path, Channel(name="t", values=values, rate_hz=1.0)).envelope("t", 0, 5000, 10)
    assert np.nanmax(envelope.maxima) == 4.0
    assert np.isnan(envelope.maxima[1:]).all()


def test_a_window_outside_the_recording_is_empty(tmp_path: Path) -> None:
    read = archived(tmp_path, sound(100))
    assert len(read.envelope("microphone", 5, 9, 100).times) == 0
    assert len(read.values("microphone", 5, 9).values) == 0
    assert len(read.values("microphone", 9, 5).values) == 0


def test_a_window_says_which_of_its_samples_are_missing(tmp_path: Path) -> None:
    gaps = ((START + NANOSECONDS, START + 2 * NANOSECONDS), (START + 8 * NANOSECONDS, START + 9 * NANOSECONDS))
    channel = Channel(name="m", values=np.zeros(1000), rate_hz=100.0, start_ns=START, gaps=gaps)
    window = archived(tmp_path, channel).values("m", 1.5, 3.0)
    assert (window.gaps, window.start_ns, len(window.values)) == ([gaps[0]], START + 1_500_000_000, 150)


@pytest.mark.parametrize("regular", [True, False])
def test_any_zoom_reads_few_bytes(tmp_path: Path, regular: bool) -> None:
    samples = 3_000_000
    values = np.arange(samples, dtype=np.float64)
    channel = Channel(name="m", values=values, rate_hz=48_000.0, start_ns=START)
    if not regular:
        channel = Channel(name="m", values=values, times=START + np.arange(samples) * 20_000)
    archive.write(Signals(channels=(channel,)), tmp_path)
    folder = CountingFolder(tmp_path)
    read = archive.Archive(folder)
    for seconds in (60.0, 30.0, 10.0, 3.0, 1.0, 0.1, 0.001):
        folder.bytes_read = 0
        read.envelope("m", 0.5, 0.5 + seconds, 4000)
        assert folder.bytes_read < 2_000_000


def test_channels_of_one_message_share_their_times(tmp_path: Path) -> None:
    times = START + np.arange(5000) * 1000
    channels = [Channel(name=name, values=np.zeros(5000, np.int8), times=times) for name in "abcd"]
    read = archived(tmp_path, *channels)
    assert len({channel.times_offset for channel in read.channels}) == 1


def test_an_unknown_channel_is_named(tmp_path: Path) -> None:
    with pytest.raises(archive.ArchiveError, match="no channel 'x'"):
        archived(tmp_path, sound(10)).envelope("x", 0, 1, 10)


def test_an_archive_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    archive.write(Signals(channels=()), tmp_path)
    document = json.loads((tmp_path / archive.INDEX_FILE).read_text())
    (tmp_path / archive.INDEX_FILE).write_text(json.dumps({**document, "version": archive.VERSION + 1}))
    with pytest.raises(archive.ArchiveError, match="newer version"):
        archive.Archive(CountingFolder(tmp_path))


def test_an_archive_is_opened_in_little_memory(tmp_path: Path) -> None:
    archive.write(Signals(channels=(sound(10),)), tmp_path)
    tracemalloc.start()
    try:
        archive.in_folder(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
