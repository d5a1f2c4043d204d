"""Rows in the tables, written by `storage.records` as the engine writes them: what pages and queries are tested on."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from atlas.results import BenchmarkResult, Failure
from atlas.states import FailureClass, ModelState
from storage import records
from storage.catalog import KnownVersion, ReadyModel
from storage.models import Benchmark, DatasetVersion, Model
from storage.records import Claim, FileRecord
from tests.samples import NOON, description, manifest, result

LEASE = timedelta(seconds=30)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def file(name: str, arrived: datetime = NOON) -> FileRecord:
    return FileRecord(key=f"models/{name}", etag="1", size_bytes=10_240, digest=digest(name), arrived=arrived)


def add_model(name: str = "Forest-1.0.0-1", *, arrived: datetime = NOON, **changes: Any) -> int:
    return records.record_model(file(f"{name}.atlas", arrived), manifest(name=name, **changes))


def add_invalid_file(name: str, reason: str, *, arrived: datetime = NOON) -> int:
    return records.record_unused_file(file(name, arrived), ModelState.INVALID, name=name, reason=reason)


def add_version(number: int = 1, *, tag: str = "impacts", **changes: Any) -> int:
    created = changes.pop("created", NOON + timedelta(days=number))
    query_id = f"{tag}-v{number}"
    return records.record_version(
        description(number, tag=tag, query_id=query_id, digest=digest(query_id), created=created, **changes)
    ).pk


def queue(model: int, version: int, *, incompatible: str = "", now: datetime = NOON) -> int:
    subject = ReadyModel.of(Model.objects.get(pk=model))
    known = KnownVersion.of(DatasetVersion.objects.get(pk=version))
    records.queue_benchmark(subject, known, incompatible=incompatible, now=now)
    return Benchmark.objects.get(model=model, dataset_version=version).pk


def run(model: int, version: int, *, now: datetime = NOON) -> Claim:
    claim = records.claim(queue(model, version, now=now), engine="one", lease=LEASE, now=now)
    assert claim is not None
    return claim


def finish(model: int, version: int, outcome: BenchmarkResult | None = None, *, now: datetime = NOON) -> int:
    claim = run(model, version, now=now)
    primary = Model.objects.get(pk=model).primary_metric
    records.finish(claim, outcome or result(), primary_metric=primary, now=now)
    return claim.benchmark


def fail(model: int, version: int, reason: str = "It is broken.", *, now: datetime = NOON) -> int:
    claim = run(model, version, now=now)
    failure = Failure(failure_class=FailureClass.LOAD_ERROR, reason=reason, output="last words")
    records.fail(claim, failure, now=now)
    return claim.benchmark
