"""How versions are made from lists of events, whatever happens to the events."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.datasets import Format, Split, content_digest, split_of
from atlas.errors import ObjectNotFoundError
from ingestion_engine import assembly, labelling, version_files, versions
from ingestion_engine.errors import LostError
from ingestion_engine.histories import present_events
from ingestion_engine.listings import content_key, listing, read_listing
from ingestion_engine.models import Change, Column, Event, Features, Ledger, Recording, Tag, Version
from ingestion_engine.selection import selected
from storage.objects import DirectoryStore, ObjectStore
from tests.ingestion_engine import signals
from tests.ingestion_engine.signals import NOW
from tests.ingestion_engine.tables import entered

pytestmark = pytest.mark.any_database
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def store(db: None, tmp_path: Path) -> ObjectStore:
    return DirectoryStore(tmp_path / "store")


@contextmanager
def everything(store: ObjectStore) -> Iterator[assembly.Assembly]:
    """The version of all events as they are now."""
    found = listing(selected("", revision=versions.current_revision(), now=LATER))
    with assembly.assembled(found, store) as made:
        yield made


def files(store: ObjectStore, version: Version) -> dict[str, bytes]:
    """All bytes of a version."""
    described = versions.dataset(version.query_id)
    keys = [versions.split_key(file.sha256) for file in described.splits.values()]
    keys += [versions.split_key(file.sha256, Format.PARQUET) for file in described.parquet.values()]
    content = {}
    for key in [*keys, version.events_key]:
        with store.open(key) as stream:
            content[key] = stream.read()
    return content


def refreshed(store: ObjectStore, tag: Tag) -> Version:
    """The newest version of the tag, brought up to date."""
    versions.refresh(Tag.objects.get(pk=tag.pk), store, now=LATER)
    return Version.objects.filter(tag=tag).latest("number")


def sounds(name: str, rows: int) -> dict[str, Any]:
    """Events with signals of different lengths."""
    windows = [np.arange(number * 7 % 50, dtype=np.float32) for number in range(rows)]
    return {
        "id": [str(number) for number in range(rows)],
        "label": ["dent", "none"] * (rows // 2) + ["dent"] * (rows % 2),
        "speed": list(range(rows)),
        "sound": pa.array(windows, pa.list_(pa.float32())),
        "axes": [[[1.0, 2.0], []]] * rows,
        f"only in {name}": ["x"] * rows,
    }


def test_arrow_and_parquet_files_hold_the_same_rows(store: ObjectStore) -> None:
    entered(store, "monday", sounds("monday", 40), now=NOW)
    with everything(store) as made:
        for split in Split:
            arrow = pa.ipc.open_file(made.path(split, Format.ARROW).read_bytes()).read_all()
            parquet = pq.ParquetFile(made.path(split, Format.PARQUET)).read()
            assert arrow.equals(parquet)
            assert made.files()[split, Format.PARQUET].rows == arrow.num_rows > 0
            assert {split_of(each) for each in arrow["id"].to_pylist()} == {split}


def test_numbers_in_lists_are_encoded_as_signals_and_all_else_as_words(store: ObjectStore) -> None:
    columns = {"counts": pa.array([[1, 2]] * 4, pa.list_(pa.int16())), "words": [["x"]] * 4, "a.b": [[1.0]] * 4}
    entered(store, "monday", {**sounds("monday", 4), **columns}, now=NOW)
    with everything(store) as made:
        written = pq.ParquetFile(made.path(Split.TRAINING, Format.PARQUET)).metadata.row_group(0)
    found = {each.path_in_schema: each.encodings for each in map(written.column, range(written.num_columns))}
    encoded = {name for name, encodings in found.items() if "RLE_DICTIONARY" not in encodings}
    assert {name for name in encoded if "BYTE_STREAM_SPLIT" in found[name]} == {
        "a.b.list.element",
        "axes.list.element.list.element",
        "sound.list.element",
    }
    assert {name for name in encoded if "DELTA_BINARY_PACKED" in found[name]} == {"counts.list.element"}
    assert {"id", "label", "speed", "words.list.element"} <= found.keys() - encoded


def test_many_recordings_make_few_batches_and_a_large_one_makes_several(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        entered(store, f"r{number}", {"id": ["1", "2"], "label": ["x", "y"]}, now=NOW)
    with everything(store) as made:
        digest = made.digest
        assert pa.ipc.open_file(made.path(Split.TRAINING, Format.ARROW).read_bytes()).num_record_batches == 1
    for module in (assembly, version_files):
        monkeypatch.setattr(module, "BATCH_BYTES", 100)
    with everything(store) as made:
        assert pa.ipc.open_file(made.path(Split.TRAINING, Format.ARROW).read_bytes()).num_record_batches > 1
        assert made.digest == digest


def test_features_that_are_too_large_to_be_fetched_ahead_are_read_in_their_turn(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * assembly.AHEAD):
        entered(store, f"r{number}", sounds(f"r{number}", 3), now=NOW)
    with everything(store) as made:
        digest = made.digest
    monkeypatch.setattr(assembly, "AHEAD_BYTES", 100)
    with everything(store) as made:
        assert made.digest == digest


def test_a_file_is_taken_while_others_are_still_written(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    entered(store, "monday", sounds("monday", 30), now=NOW)
    one_is_taken, write = threading.Event(), version_files._write_parquet

    def write_afterwards(*given: Any) -> None:
        assert one_is_taken.wait(60)
        write(*given)

    monkeypatch.setattr(version_files, "_write_parquet", write_afterwards)
    found = listing(selected("", revision=versions.current_revision(), now=LATER))
    with assembly.assembled(found, store, lambda *_: one_is_taken.set()) as made:
        assert len(made.files()) == 2 * len(Split)


def test_events_edited_one_by_one_stand_where_they_stood(store: ObjectStore) -> None:
    monday = entered(store, "monday", sounds("monday", 30), now=NOW)
    with everything(store) as made:
        before = made.table.to_pylist()
    for event in list(present_events(monday))[::3]:
        seen: dict[str, Any] = {"seen": event.since, "store": store, "who": "Anna", "now": LATER}
        labelling.relabel_event(monday, event.event_id, columns={"speed": -1}, **seen)
    with everything(store) as made:
        after = made.table.to_pylist()
    assert [row["speed"] for row in after].count(-1) == 10
    assert [{**row, "speed": 0} for row in after] == [{**row, "speed": 0} for row in before]


def test_a_version_is_made_again_from_its_list_with_the_same_bytes(store: ObjectStore) -> None:
    monday = entered(store, "monday", sounds("monday", 50), now=NOW)
    drive = signals.recording()
    labelling.add_event(drive, start=1.0, end=2.0, label="dent", store=store, cut=signals.cut, who="Anna", now=NOW)
    version = refreshed(store, versions.create_tag("all", "", now=NOW))
    before = files(store, version)
    labelling.delete_event(monday, "monday/7", seen=1, who="Anna", now=LATER)
    labelling.relabel_event(monday, "monday/8", seen=1, label="other", store=store, who="Anna", now=LATER)
    for key in before:
        if key.startswith("splits/"):
            store.delete(key)
    versions.remake(version, store)
    assert files(store, version) == before


def test_a_version_that_cannot_be_made_again_says_why(store: ObjectStore) -> None:
    entered(store, "monday", sounds("monday", 5), now=NOW)
    version = refreshed(store, versions.create_tag("all", "", now=NOW))
    Event.objects.filter(event_id="monday/3").update(label_type="string", label="forged")
    with pytest.raises(LostError, match="other content"):
        versions.remake(version, store)
    Event.objects.filter(event_id="monday/3").update(since=9)
    with pytest.raises(LostError, match="'monday/3'"):
        versions.remake(version, store)
    store.delete(version.events_key)
    with pytest.raises(ObjectNotFoundError):
        versions.remake(version, store)
    version.events_key = ""
    with pytest.raises(LostError, match="before lists"):
        versions.remake(version, store)


def test_a_list_names_each_event_and_the_state_it_was_in(store: ObjectStore) -> None:
    monday = entered(store, "monday", {"id": ["b", "a", "ü"], "label": ["x", "y", "z"]}, now=NOW)
    entered(store, "monday-b", {"id": ["a"], "label": ["x"]}, now=NOW)
    labelling.relabel_event(monday, "monday/a", seen=1, label="x", store=store, who="Anna", now=LATER)
    version = refreshed(store, versions.create_tag("all", "", now=NOW))
    events = read_listing(store, version.events_key).events.to_pylist()
    assert [(each["id"], each["since"]) for each in events] == [
        ("monday-b/a", 2),
        ("monday/a", 3),
        ("monday/b", 1),
        ("monday/ü", 1),
    ]
    assert version.events_key == f"events/{hashlib.sha256(files(store, version)[version.events_key]).hexdigest()}.arrow"


def test_an_empty_list_gives_a_version_without_rows(store: ObjectStore) -> None:
    found = listing(Event.objects.none())
    assert content_key(found.content)
    with assembly.assembled(found, store) as made:
        assert (made.rows, made.digest) == (0, content_digest(made.table))


@pytest.mark.parametrize("change", ["relabel", "move", "delete"])
def test_changes_of_events_make_a_new_version(store: ObjectStore, change: str) -> None:
    drive = signals.recording()
    made_by: dict[str, Any] = {"who": "Anna", "now": LATER}
    cut: dict[str, Any] = {"store": store, "cut": signals.cut, **made_by}
    for number in range(3):
        labelling.add_event(drive, start=number, end=number + 1, label="dent", **cut)
    tag = versions.create_tag("all", "", now=NOW)
    first = refreshed(store, tag)
    before = files(store, first)
    if change == "relabel":
        labelling.relabel_event(drive, "drive/1.000", seen=2, label="none", store=store, **made_by)
    elif change == "move":
        labelling.move_event(drive, "drive/1.000", seen=2, start=1.25, end=2.0, **cut)
    else:
        labelling.delete_event(drive, "drive/1.000", seen=2, **made_by)
    second = refreshed(store, tag)
    assert (second.number, second.rows) == (2, 2 if change == "delete" else 3)
    assert second.digest != first.digest
    assert files(store, first) == before


def test_a_change_that_is_taken_back_before_anybody_looked_makes_no_version(store: ObjectStore) -> None:
    monday = entered(store, "monday", sounds("monday", 4), now=NOW)
    tag = versions.create_tag("all", "", now=NOW)
    refreshed(store, tag)
    for seen, label in ((1, "none"), (2, "dent")):
        labelling.relabel_event(monday, "monday/0", seen=seen, label=label, store=store, who="Anna", now=LATER)
    assert refreshed(store, tag).number == 1


def forget_everything() -> None:
    for table in (Version, Tag, Event, Features, Column, Change, Recording, Ledger):
        table.objects.all().delete()


RECORDINGS = st.dictionaries(
    st.sampled_from(["a", "a-b", "a.b", "B", "a0"]),
    st.lists(
        st.tuples(st.text("019aü", min_size=1, max_size=3), st.integers(0, 60)),
        min_size=1,
        max_size=8,
        unique_by=lambda each: each[0],
    ),
    min_size=1,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recordings=RECORDINGS, data=st.data())
def test_the_same_events_have_the_same_digest_in_whatever_order_and_parts_they_came(
    store: ObjectStore, recordings: dict[str, list[tuple[str, int]]], data: st.DataObject
) -> None:
    digests = set()
    for _ in range(2):
        forget_everything()
        for name in data.draw(st.permutations(sorted(recordings)), "order of recordings"):
            rows = data.draw(st.permutations(recordings[name]), "order of rows")
            windows = [np.arange(length, dtype=np.float32) for _, length in rows]
            columns = {"id": [row[0] for row in rows], "label": ["x"] * len(rows), "sound": windows}
            entered(store, name, columns, now=NOW)
        with pytest.MonkeyPatch.context() as patch:
            for module in (assembly, version_files):
                patch.setattr(module, "BATCH_BYTES", data.draw(st.sampled_from([100, 1000, 1 << 20]), "batch"))
            with everything(store) as made:
                digests.add(made.digest)
    assert len(digests) == 1


EDITS = st.lists(
    st.tuples(st.sampled_from(["add", "move", "relabel", "describe", "delete"]), st.integers(0, 9), st.integers(0, 8)),
    max_size=6,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_whatever_is_edited_no_event_changes_its_split_and_no_version_its_bytes(
    store: ObjectStore, edits: list[tuple[str, int, int]]
) -> None:
    forget_everything()
    drive, tag = signals.recording(), versions.create_tag("all", "", now=NOW)
    made_by: dict[str, Any] = {"who": "Anna", "now": LATER, "store": store}
    known: dict[str, dict[str, bytes]] = {}
    splits: dict[str, set[str]] = {}
    for verb, number, start in [("add", 0, 1), *edits]:
        edit(drive, verb, number, start, made_by)
        version = refreshed(store, tag)
        known.setdefault(version.query_id, files(store, version))
        for split, file in versions.dataset(version.query_id).splits.items():
            table = pa.ipc.open_file(known[version.query_id][versions.split_key(file.sha256)]).read_all()
            for event_id in table["id"].to_pylist():
                splits.setdefault(event_id, set()).add(split)
    assert all(len(each) == 1 for each in splits.values())
    assert {version.query_id: files(store, version) for version in Version.objects.all()} == known


def edit(drive: Recording, verb: str, number: int, start: int, made_by: dict[str, Any]) -> None:
    """One edit of the event `number`, if there is one."""
    if verb == "add":
        labelling.add_event(drive, start=start, end=start + 1, label="dent", cut=signals.cut, **made_by)
        return
    events = list(present_events(drive))
    if not events:
        return
    event = events[number % len(events)]
    seen = {"seen": event.since, **made_by}
    if verb == "move":
        labelling.move_event(drive, event.event_id, start=start, end=start + 0.5, cut=signals.cut, **seen)
    elif verb == "relabel":
        labelling.relabel_event(drive, event.event_id, label=f"label {start}", **seen)
    elif verb == "describe":
        labelling.relabel_event(drive, event.event_id, columns={"severity": start}, **seen)
    else:
        seen.pop("store")
        labelling.delete_event(drive, event.event_id, **seen)
