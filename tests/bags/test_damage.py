"""Whatever happens to a file: what is read was written, and nothing crashes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

import bags
from tests.bags import recordings

KINDS = [*recordings.KINDS, "wav", "flac", "csv", "parquet"]


def written(kind: str, folder: Path) -> Path:
    """A recording of some kilobytes."""
    if kind in recordings.KINDS:
        return recordings.write(kind, folder, recordings.temperatures(300, recordings.ros_of(kind)))
    path, values = folder / f"a.{kind}", np.arange(6000) % 300
    if kind in ("wav", "flac"):
        soundfile.write(path, values.astype(np.int16), 48_000)
    elif kind == "csv":
        path.write_text("time,a\n" + "".join(f"{number},{value}\n" for number, value in enumerate(values)))
    else:
        pq.write_table(pa.table({"time": np.arange(6000), "a": values}), path)
    return path


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Cut off, with a part of zeros, with single wrong bytes, or without a part."""
    start = int(random.integers(0, len(content)))
    stop = start + int(random.integers(1, 5000))
    way = random.integers(0, 4)
    if way == 0:
        return content[:start]
    if way == 1:
        return content[:start] + bytes(min(stop, len(content)) - start) + content[stop:]
    if way == 2:
        changed = bytearray(content)
        for place in random.integers(0, len(content), 5):
            changed[place] = int(random.integers(0, 256))
        return bytes(changed)
    return content[:start] + content[stop:]


def check_damage(kind: str, folder: Path, seeds: range) -> None:
    path = written(kind, folder)
    content = path.read_bytes()
    for seed in seeds:
        path.write_bytes(damaged(content, np.random.default_rng(seed)))
        samples = folder / f"samples-{seed}"
        samples.mkdir()
        try:
            signals = bags.read(path, samples)
        except bags.UnreadableError as error:
            assert str(error)
            continue
        assert all(len(channel.values) > 0 for channel in signals.channels)
        assert all(loss.endswith(".") for loss in signals.losses)
        assert sum(len(channel.values) for channel in signals.channels) <= 6100


@pytest.mark.parametrize("kind", KINDS)
def test_random_damage_crashes_nothing(kind: str, tmp_path: Path) -> None:
    check_damage(kind, tmp_path, range(12))


@pytest.mark.system
@pytest.mark.parametrize("kind", KINDS)
def test_much_random_damage_crashes_nothing(kind: str, tmp_path: Path) -> None:
    check_damage(kind, tmp_path, range(1000, 1200))
