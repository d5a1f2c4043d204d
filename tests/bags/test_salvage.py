"""Of a damaged bag every intact message is salvaged, and nothing is invented."""

from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from bags.salvage import salvage
from bags.signals import UnreadableError
from tests.bags import damaging, recordings
from tests.bags.damaging import Known, Original

MANY = {"bag": 100, "bag-lz4": 30, "bag-bz2": 15, "mcap": 25, "mcap-zstd": 15, "db3": 15}


@cache
def original(kind: str) -> Original:
    """Written once for all damage."""
    with TemporaryDirectory() as folder:
        return damaging.original(kind, Path(folder))


def salvaged(path: Path) -> list[Known]:
    """What comes of a bag; nothing if nothing of it is intact."""
    before = path.read_bytes()
    try:
        done = salvage(path)
    except UnreadableError as error:
        assert str(error)
        return []
    found, losses = damaging.known(done.path)
    assert losses == ()
    assert Counter(each[0] for each in found) == done.messages
    assert path.read_bytes() == before
    return found


def check(kind: str, folder: Path, seeds: range) -> None:
    bag = original(kind)
    for seed in seeds:
        path = folder / f"{seed}.{kind.partition('-')[0]}"
        content, touched = damaging.damaged(bag.content, np.random.default_rng(seed))
        path.write_bytes(content)
        found = salvaged(path)
        missing = Counter(damaging.intact(bag, touched)) - Counter(found)
        assert not missing, (seed, len(missing), next(iter(missing))[:3])
        check_nothing_invented(bag, content, touched, found)


def check_nothing_invented(bag: Original, content: bytes, touched: list[damaging.Span], found: list[Known]) -> None:
    """What was not written so comes from records that are touched, and is what is there in the file."""
    strange = Counter(found) - Counter(bag.messages)
    hit = [span for span in bag.spans if damaging.is_touched(span, touched)]
    assert sum(strange.values()) <= len(hit)
    assert len(found) == len(set(found)), "a message comes twice"
    if "-" not in bag.kind and bag.kind != "db3":
        payloads = [content[start:stop] for start, stop in hit]
        assert all(any(record.endswith(each[3]) for record in payloads) for each in strange)


@pytest.mark.parametrize("kind", recordings.KINDS)
def test_all_intact_messages_of_damaged_bags_come_back(kind: str, tmp_path: Path) -> None:
    check(kind, tmp_path, range(5))


@pytest.mark.system
@pytest.mark.parametrize("kind", recordings.KINDS)
def test_all_intact_messages_of_many_damaged_bags_come_back(kind: str, tmp_path: Path) -> None:
    check(kind, tmp_path, range(1000, 1000 + MANY[kind]))


@pytest.mark.parametrize("kind", ["bag", "bag-lz4", "mcap", "mcap-zstd", "db3"])
def test_of_a_file_that_was_cut_off_all_before_comes_back(kind: str, tmp_path: Path) -> None:
    bag = original(kind)
    path = tmp_path / f"a.{kind.partition('-')[0]}"
    stop = len(bag.content) * 2 // 3
    path.write_bytes(bag.content[:stop])
    before = [each for each, span in zip(bag.messages, bag.spans, strict=True) if span[1] <= stop]
    found = salvaged(path)
    assert len(before) > 300
    assert not Counter(before) - Counter(found)
    assert not Counter(found) - Counter(bag.messages)
