import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.datasets import write_arrow
from atlas.errors import ObjectNotFoundError
from storage.objects import DirectoryStore
from storage.ranges import ObjectFile

CONTENT = bytes(range(200))
PLACES = st.integers(0, 250)


class CountingStore(DirectoryStore):
    """Counts the bytes that leave it."""

    told = 0

    def read(self, key: str, first: int, stop: int) -> bytes:
        found = super().read(key, first, stop)
        self.told += len(found)
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CountingStore:
    store = CountingStore(tmp_path_factory.mktemp("store"))
    store.put("content", CONTENT)
    return store


@given(st.lists(st.tuples(PLACES, st.integers(-1, 250)), max_size=5))
def test_an_object_reads_like_a_file(store: CountingStore, parts: list[tuple[int, int]]) -> None:
    with ObjectFile(store, "content") as file:
        for place, size in parts:
            file.seek(place)
            stop = len(CONTENT) if size < 0 else place + size
            assert file.read(size) == CONTENT[place:stop]
            assert file.tell() == place + len(CONTENT[place:stop])


@given(st.integers(0, len(CONTENT)))
def test_places_are_counted_from_the_end_and_from_where_one_is(store: CountingStore, place: int) -> None:
    with ObjectFile(store, "content") as file:
        assert file.seek(-place, os.SEEK_END) == len(CONTENT) - place
        assert file.seek(place, os.SEEK_CUR) == len(CONTENT)


def test_a_missing_object_shows_when_it_is_opened(store: CountingStore) -> None:
    with pytest.raises(ObjectNotFoundError):
        ObjectFile(store, "another")


def test_arrow_reads_only_the_columns_that_it_is_asked_for(store: CountingStore, tmp_path: Path) -> None:
    write_arrow(pa.table({"small": np.arange(10), "large": np.zeros((10, 100_000)).tolist()}), tmp_path / "table")
    store.put("table", tmp_path / "table")
    store.told = 0
    with pa.PythonFile(ObjectFile(store, "table"), "r") as file:
        options = pa.ipc.IpcReadOptions(included_fields=[0])
        assert pa.ipc.open_file(file, options=options).read_all()["small"].to_pylist() == list(range(10))
    assert store.told < 10_000
