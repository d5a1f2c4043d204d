"""What a power cut left becomes finished parts, wherever it cut, and other readers read them."""

import hashlib
import json
import logging
from pathlib import Path

import pytest
from rosbags.rosbag1 import Reader, Writer

from atlas_collector import parts
from atlas_collector.salvage import salvage, salvage_folder

NAME = "20261127T101500Z-0001.bag"
START_NS = 1_795_774_500 * 10**9
SETS = 5
FIRST_CHUNK = 4_109  # as rosbags writes them
DEFINITION = "uint32 dropped\n"


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """A part of five sets, each of a chunk, as it is before its index is written."""
    path = tmp_path / f"{NAME}.active"
    with Writer(path) as bag:
        bag.chunk_threshold = 1
        topic = bag.add_connection("/set", "atlas_collector/msg/SetInfo", msgdef=DEFINITION, md5sum="0" * 32)
        for number in range(SETS):
            bag.write(topic, START_NS + number * 10**9, number.to_bytes(4, "little"))
    return path


def read(path: Path) -> list[bytes]:
    with Reader(path) as bag:
        return [bytes(content) for _, _, content in bag.messages()]


def chunks(content: bytes) -> list[int]:
    """Where the chunks begin."""
    found = [FIRST_CHUNK]
    while (place := content.find(b"\x04\x00\x00\x00op=\x05", found[-1] + 8)) >= 0:
        found.append(place - 4)
    return found


def test_wherever_a_part_is_cut_off_its_whole_sets_can_be_read(unfinished: Path) -> None:
    content = unfinished.read_bytes()
    begins = chunks(content)
    for length in range(FIRST_CHUNK, len(content), 37):
        unfinished.write_bytes(content[:length])
        part = salvage(unfinished)
        whole = [] if part is None else read(part)
        assert whole == [number.to_bytes(4, "little") for number in range(len(whole))]
        assert len(whole) in {sum(begin <= length for begin in begins) - 1, sum(begin <= length for begin in begins)}


def test_the_manifest_says_what_is_there_and_what_was_lost(unfinished: Path) -> None:
    content = unfinished.read_bytes()
    cut = chunks(content)[3] + 20
    unfinished.write_bytes(content[:cut])
    part = salvage(unfinished)
    assert part is not None
    manifest = json.loads(part.with_name(part.name + ".json").read_text())
    assert manifest["sha256"] == hashlib.sha256(part.read_bytes()).hexdigest()
    assert manifest["topics"] == {"/set": {"type": "atlas_collector/SetInfo", "messages": 3}}
    assert (manifest["sets"], manifest["dropped"], manifest["reason"]) == (3, 0 + 1 + 2, "salvaged")
    assert manifest["lost"] == "20 bytes of a set that was not whole were cut off."
    assert manifest["start"] < manifest["end"]


def test_a_damaged_set_in_the_middle_costs_only_itself(unfinished: Path) -> None:
    content = bytearray(unfinished.read_bytes())
    begins = chunks(bytes(content))
    content[begins[2] + 4 : begins[2] + 60] = bytes(56)
    unfinished.write_bytes(content)
    part = salvage(unfinished)
    assert part is not None
    assert [message[0] for message in read(part)] == [0, 1, 3, 4]
    assert "in the middle are damaged" in json.loads(part.with_name(part.name + ".json").read_text())["lost"]


def test_what_tells_of_the_topics_is_found_in_a_damaged_first_set(unfinished: Path) -> None:
    content = bytearray(unfinished.read_bytes())
    content[FIRST_CHUNK : FIRST_CHUNK + 8] = bytes(8)
    unfinished.write_bytes(content)
    part = salvage(unfinished)
    assert part is not None
    assert [message[0] for message in read(part)] == [1, 2, 3, 4]


def test_salvage_that_was_interrupted_is_done_again(unfinished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(*_: object, **__: object) -> None:
        raise OSError("the power went")

    content = unfinished.read_bytes()
    unfinished.write_bytes(content[: chunks(content)[4] + 9])
    with monkeypatch.context() as patch:
        patch.setattr("atlas_collector.bag_index.write_header", power_cut)
        assert salvage_folder(unfinished.parent) == []
    assert unfinished.exists()
    (part,) = salvage_folder(unfinished.parent)
    assert len(read(part)) == 4
    assert parts.active(unfinished.parent) == []


@pytest.mark.parametrize("content", [b"", b"#ROSBAG V2.0\n", bytes(9_000)], ids=["empty", "magic", "zeros"])
def test_a_part_without_a_whole_set_is_removed(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / f"{NAME}.active").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert salvage_folder(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
    assert f"Removed {NAME}.active: the power went before a set was on the disk" in caplog.text


def test_a_whole_part_that_only_kept_its_name_loses_nothing(unfinished: Path) -> None:
    part = salvage(unfinished)
    assert part is not None
    assert len(read(part)) == SETS
    assert json.loads(part.with_name(part.name + ".json").read_text())["lost"] == ""
