"""Compares each new result with those of the same model on earlier versions of its data."""

import threading
from collections.abc import Iterator, Sequence

from threadpoolctl import threadpool_limits

from atlas.changes import MetricChange
from atlas.errors import AtlasError, ObjectStoreError
from atlas.metrics import REGISTRY
from atlas.paired import Difference
from atlas.states import Level
from benchmark_engine.complaints import AWAY, Complaints
from benchmark_engine.connector import Connector
from benchmark_engine.evidence import Evidence
from monitoring.changed import metric_change
from monitoring.regressions import LEVEL, Differ, Measurement, by_intervals
from monitoring.shared import ByEvents
from storage import checking, records
from storage.checking import ModelOnTag, StoredResult
from storage.records import Check

AT_ONCE = 20
"""So many streams are asked for at a time, so that what is new comes first while there is much to make up for."""


def check_results(connector: Connector) -> int:
    """Compare all results that are still to be compared, and can be; how many were.

    Raises:
        ObjectStoreError: the store cannot be reached; what is left is compared another time.
        DatabaseError: likewise.
    """
    return Checker(connector).check()


class Checker:
    """One engine's share of the comparing. A stream that cannot be compared keeps no other from it."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._complaints = Complaints(connector)
        self._unreadable: set[str] = set()
        self._closed = threading.Event()
        self._turn = threading.Lock()

    @property
    def is_busy(self) -> bool:
        """Whether it compares; what comes meanwhile it finds before it ends."""
        return self._turn.locked()

    def close(self) -> None:
        """Compare no more after the result that is being compared."""
        self._closed.set()

    def check(self) -> int:
        """As `check_results`. What cannot be read is told once for as long as this lives."""
        made, left = 0, set[ModelOnTag]()
        with self._turn:
            while streams := self._next(left):
                for of in streams:
                    kept = self._attempt(of)
                    made += kept.count(True)
                    if not kept or not all(kept):
                        left.add(of)
        return made

    def _next(self, left: set[ModelOnTag]) -> list[ModelOnTag]:
        """Streams to look at, without those that are left for another time."""
        if self._closed.is_set():
            return []
        return [of for of in checking.streams_to_check(AT_ONCE + len(left)) if of not in left]

    def _attempt(self, of: ModelOnTag) -> list[bool]:
        """Compare the results of a stream; of each, whether what was found could be kept."""
        try:
            return list(self._stream(of))
        except (ObjectStoreError, *AWAY):
            raise
        except Exception as error:  # noqa: BLE001 - process boundary: one stream must not keep others from being compared
            self._complaints.complain(f"compare the results of model {of[0]} with earlier ones", error)
            return [False]

    def _stream(self, of: ModelOnTag) -> Iterator[bool]:
        stream = checking.result_stream(of)
        if stream is None:
            return
        evidence = Evidence(self._connector.objects, stream, self._tell)
        for place, result in enumerate(stream.results, start=1):
            if result.benchmark in stream.due and not self._closed.is_set():
                check = _compared(stream.results[:place], evidence)
                yield records.record_check(check, now=self._connector.clock())

    def _tell(self, result: StoredResult, error: AtlasError) -> None:
        if result.predictions_key not in self._unreadable:
            self._unreadable.add(result.predictions_key)
            message = f"Versions are compared without the predictions of benchmark {result.benchmark}: {error}"
            self._connector.log(message, level=Level.WARNING, benchmark=result.benchmark)


def _compared(results: Sequence[StoredResult], evidence: Evidence) -> Check:
    """The last of some results beside all before it."""
    return Check(
        benchmark=results[-1].benchmark,
        results={each.benchmark: each.stored for each in results},
        changes=tuple(_changes(results, evidence)),
        predictions=evidence.drift(results),
    )


def _changes(results: Sequence[StoredResult], evidence: Evidence) -> Iterator[MetricChange]:
    """Of each metric. The answers to each event are asked of the primary one alone, which is the first.

    Small products of matrices are made in one thread: a thread for each core would wait for the benchmarks' own.
    """
    events, benchmarks = evidence.events(results), {each.version: each.benchmark for each in results}
    with threadpool_limits(1, user_api="blas"):
        for place, metric in enumerate(results[-1].metrics):
            measured = [
                Measurement(version=each.version, metric=value, events=events.get(each.benchmark, frozenset()))
                for each in results
                for value in each.metrics
                if value.name == metric.name
            ]
            differ = by_intervals if place or metric.name not in REGISTRY else _by_answers(results, evidence)
            yield metric_change(measured, benchmarks, differ)


def _by_answers(results: Sequence[StoredResult], evidence: Evidence) -> Differ:
    """Tells a difference from the answers to each event, if the intervals tell of one: of both the less sure counts."""
    of_version = {each.version: each for each in results}

    def differ(earlier: Measurement, newer: Measurement) -> Difference:
        told = by_intervals(earlier, newer)
        if told.p is not None and told.p > LEVEL:
            return told
        found = {version: evidence.answered(of_version[version]) for version in (earlier.version, newer.version)}
        return ByEvents({version: answered for version, answered in found.items() if answered})(earlier, newer)

    return differ
