"""What a person deletes goes from the object store and does not come back by itself; what is sent anew does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.db import connection, connections

from atlas.access import Via
from atlas.errors import ObjectStoreError
from benchmark_engine.connector import Connector
from benchmark_engine.model_manager import discover_model, discover_models, discover_versions, plan
from benchmark_engine.sweeper import Sweeper
from storage import catalog, records
from storage.models import Benchmark, LogEntry, Model, Removal
from storage.objects import DirectoryStore, StoredObject
from tests.samples import NOON, result

Send = Callable[..., Path]
KEY = "models/forest.atlas"

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(connector: Connector, send: Send) -> int:
    """A model that was taken in from `KEY`."""
    send(key="forest.atlas")
    discover_models(connector)
    return Model.objects.get().pk


def delete(model: int) -> None:
    records.delete_models([model], "ilse", Via.PAGE, NOON)


def listed(objects: DirectoryStore) -> list[str]:
    return sorted(found.key for found in objects.list())


def test_the_file_goes_and_no_look_finds_it_meanwhile(
    connector: Connector, objects: DirectoryStore, model: int
) -> None:
    delete(model)
    assert discover_models(connector) == 0
    assert discover_model(connector, KEY) == []
    assert listed(objects) == [KEY]
    assert Sweeper(connector).carry_out_removals() == 1
    assert listed(objects) == []
    assert not Removal.objects.exists()
    assert discover_models(connector) == 0
    assert not Model.objects.exists()


def test_all_files_of_results_go(connector: Connector, objects: DirectoryStore, model: int) -> None:
    discover_versions(connector)
    plan(connector)
    (benchmark,) = catalog.next_to_claim(NOON, limit=1)
    held = records.claim(benchmark, engine="one", lease=timedelta(seconds=30), now=NOON)
    assert held is not None
    own = f"predictions/{held.token}.parquet"
    objects.put(own, b"rows")
    records.finish(held, result(predictions_key=own), primary_metric="f1", now=NOON)
    delete(model)
    Sweeper(connector).carry_out_removals()
    assert listed(objects) == []


def test_a_file_that_is_sent_anew_afterwards_is_taken_in(connector: Connector, send: Send, model: int) -> None:
    delete(model)
    Sweeper(connector).carry_out_removals()
    send(key="forest.atlas")
    assert discover_models(connector) == 1
    assert Model.objects.get().pk != model


def test_a_file_that_is_sent_anew_before_an_engine_came_to_delete_it_stays_and_is_taken_in(
    connector: Connector, objects: DirectoryStore, send: Send, model: int
) -> None:
    delete(model)
    send(key="forest.atlas")
    assert discover_models(connector) == 0
    assert Sweeper(connector).carry_out_removals() == 1
    assert listed(objects) == [KEY]
    assert discover_models(connector) == 1
    assert Model.objects.get().key == KEY


def test_what_an_absent_store_cannot_delete_is_deleted_when_it_is_back(
    connector: Connector, objects: DirectoryStore, model: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: DirectoryStore, _key: str) -> StoredObject:
        raise ObjectStoreError("no answer")

    delete(model)
    with monkeypatch.context() as away:
        away.setattr(DirectoryStore, "stat", refuse)
        with pytest.raises(ObjectStoreError):
            Sweeper(connector).carry_out_removals()
    assert Removal.objects.get().key == KEY
    assert discover_models(connector) == 0
    Sweeper(connector).carry_out_removals()
    assert listed(objects) == []


def test_a_file_that_somebody_removed_from_the_store_already_ends_its_removal(
    connector: Connector, objects: DirectoryStore, model: int
) -> None:
    objects.delete(KEY)
    delete(model)
    assert Sweeper(connector).carry_out_removals() == 1
    assert not Removal.objects.exists()


def test_a_model_that_is_deleted_while_its_file_is_read_anew_does_not_come_back(
    connector: Connector, objects: DirectoryStore, model: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Connector.inspected

    def deleted_meanwhile(self: Connector, file: Path, digest: str) -> object:
        delete(model)
        return read(self, file, digest)

    with objects.open(KEY) as same:
        objects.put(KEY, same.read())
    monkeypatch.setattr(Connector, "inspected", deleted_meanwhile)
    discover_models(connector)
    assert Removal.objects.get().key == KEY
    assert not Model.objects.exists()


def test_an_engine_that_closes_leaves_removals_to_the_next_one(
    connector: Connector, objects: DirectoryStore, model: int
) -> None:
    delete(model)
    sweeper = Sweeper(connector)
    sweeper.close()
    assert sweeper.carry_out_removals() == 0
    assert listed(objects) == [KEY]


def test_a_benchmark_that_ran_while_its_model_was_deleted_is_logged_without_it(
    connector: Connector, model: int
) -> None:
    delete(model)
    connector.log("Ended, as it is no longer wanted.", model=model)
    assert LogEntry.objects.latest("pk").model is None


@pytest.mark.django_db(transaction=True)
def test_of_two_engines_none_deletes_what_was_sent_anew_after_the_other_deleted_it(
    connector: Connector, objects: DirectoryStore, send: Send, model: int, tmp_path: Path
) -> None:
    """The first engine deletes, and the file is sent anew while its transaction is still open."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time, and in these tests one connection for all threads")
    delete(model)
    at_it, sent = Barrier(2), Barrier(2)

    class Slow(DirectoryStore):
        def delete(self, key: str) -> None:
            super().delete(key)
            at_it.wait(10)
            sent.wait(10)

    def sweep() -> None:
        Sweeper(replace(connector, objects=Slow(tmp_path / "objects"))).carry_out_removals()
        connections.close_all()

    first = Thread(target=sweep)
    first.start()
    at_it.wait(10)
    send(key="forest.atlas")
    assert Sweeper(connector).carry_out_removals() == 0
    sent.wait(10)
    first.join()
    assert listed(objects) == [KEY]
    assert discover_models(connector) == 1


@pytest.mark.django_db(transaction=True)
def test_a_model_that_is_deleted_while_a_result_is_stored_is_gone_in_either_order(
    connector: Connector, model: int
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time, and in these tests one connection for all threads")
    discover_versions(connector)
    plan(connector)
    (benchmark,) = catalog.next_to_claim(NOON, limit=1)
    held = records.claim(benchmark, engine="one", lease=timedelta(seconds=30), now=NOON)
    assert held is not None
    together = Barrier(2)

    def store() -> None:
        together.wait(10)
        records.finish(held, result(), primary_metric="f1", now=NOON)
        connections.close_all()

    engine = Thread(target=store)
    engine.start()
    together.wait(10)
    delete(model)
    engine.join()
    assert not Benchmark.objects.exists()
    assert not Model.objects.exists()
