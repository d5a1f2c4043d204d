"""Removes objects that nothing needs: those of results that were replaced and of runs that gave none, dataset versions
that were put there for the workers of a cluster, and parts of models that nobody goes on sending."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import islice, takewhile
from pathlib import PurePosixPath

from atlas.errors import ObjectNotFoundError
from benchmark_engine import orphans
from benchmark_engine.connector import Connector
from benchmark_engine.orphans import OF_INFERENCES
from benchmark_engine.worker import DATASETS, EXPLANATIONS, PREDICTIONS
from storage import catalog, inferring, records, uploads
from storage.catalog import Removed
from storage.inferring import INFERENCES

OF_CLAIMS = (PREDICTIONS, EXPLANATIONS)
"""Where each claim's files lie, named after it."""
SUFFIXES = {".parquet", ".arrow"}
FRESH = timedelta(hours=1)
BATCH = 100_000
"""So many keys are held in memory at a time; each batch reads the table of benchmarks once."""


class Sweeper:
    """Keeps the object store's folders `OF_CLAIMS` to what the database refers to."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._discarded: deque[str] = deque()
        self._closed = threading.Event()

    def close(self) -> None:
        """End a sweep that goes on; the next engine begins anew."""
        self._closed.set()

    def discard(self, key: str) -> None:
        """Have `remove_discarded` remove an object, from any thread and without waiting for the store."""
        self._discarded.append(key)

    def remove_discarded(self) -> None:
        """Remove what was discarded since the last time.

        Raises:
            ObjectStoreError: the store does not answer; `sweep` finds what is left.
        """
        while self._discarded:
            self._connector.objects.delete(self._discarded.popleft())

    def carry_out_removals(self) -> int:
        """Delete the objects that people want gone; how many removals were carried out.

        What came later under the same key stays. An object is deleted while its removal is locked, so that no second
        engine deletes what was sent anew after this one let go.

        Raises:
            ObjectStoreError: the store does not answer; what is left is deleted another time.
        """
        return sum(records.carry_out(asked.key, partial(self._delete, asked)) for asked in self._asked())

    def _asked(self) -> Iterator[Removed]:
        return takewhile(self._goes_on, catalog.removals())

    def _delete(self, asked: Removed) -> None:
        objects = self._connector.objects
        with suppress(ObjectNotFoundError):
            if not asked.etag or objects.stat(asked.key).etag == asked.etag:
                objects.delete(asked.key)

    def sweep(self) -> int:
        """Look for files of claims without a benchmark and remove them; how many there were.

        They are listed before the database is asked, so that what is written meanwhile is left alone.

        Raises:
            ObjectStoreError: the store does not answer.
        """
        removed = 0
        for listed in _batches(self._listed()):
            for key in takewhile(self._goes_on, catalog.without_owner(listed)):
                self._connector.objects.delete(key)
                removed += 1
        if removed:
            self._connector.log(f"Files of no benchmark were removed from the object store: {removed:,}.")
        return removed

    def sweep_inferences(self) -> int:
        """Remove what predictions left behind that nothing refers to, and rows that were sent and never asked about;
        how many objects there were. What is younger than `FRESH` is left alone: rows are sent before they are asked
        about.

        Raises:
            ObjectStoreError: the store does not answer.
        """
        old = self._connector.clock() - FRESH
        stored = self._connector.objects.list(INFERENCES)
        listed = [found.key for found in stored if found.modified < old and OF_INFERENCES.fullmatch(found.key)]
        used = inferring.inference_keys_in_use(listed)
        unneeded = list(takewhile(self._goes_on, (key for key in listed if key not in used)))
        for key in unneeded:
            self._connector.objects.delete(key)
        return len(unneeded)

    def report_orphans(self) -> int:
        """Write down which objects nothing refers to, for people to clean up; how many there are.

        Raises:
            ObjectStoreError: the store does not answer; the last report stays.
        """
        objects = orphans.listed(self._connector)
        found = list(orphans.orphans(objects))
        size = sum(each.size_bytes for each in objects)
        now = self._connector.clock()
        records.report_orphans(found, objects_seen=len(objects), bytes_seen=size, now=now)
        return len(found)

    def sweep_datasets(self) -> int:
        """Remove the dataset versions that no benchmark waits for; how many there were. One that is wanted again is put
        there again.

        Raises:
            ObjectStoreError: the store does not answer.
        """
        listed = [found.key for found in self._connector.objects.list(DATASETS)]
        needed = {f"{DATASETS}{sha256}.arrow" for sha256 in catalog.evaluation_files_in_use()} if listed else set()
        unneeded = list(takewhile(self._goes_on, (key for key in listed if key not in needed)))
        for key in unneeded:
            self._connector.objects.delete(key)
        return len(unneeded)

    def sweep_uploads(self) -> int:
        """Forget what people began to send and did not go on with for a day; how many files that were.

        Raises:
            ObjectStoreError: the store does not answer.
        """
        return uploads.remove_abandoned(self._connector.objects, now=self._connector.clock())

    def _goes_on(self, _: object) -> bool:
        return not self._closed.is_set()

    def _listed(self) -> Iterator[tuple[str, str]]:
        """The keys of all files of claims, each with the claim that wrote it."""
        for folder in OF_CLAIMS:
            for found in takewhile(self._goes_on, self._connector.objects.list(folder)):
                path = PurePosixPath(found.key)
                if path.suffix in SUFFIXES:
                    yield found.key, path.stem


def _batches(pairs: Iterable[tuple[str, str]]) -> Iterator[dict[str, str]]:
    remaining = iter(pairs)
    while batch := dict(islice(remaining, BATCH)):
        yield batch
