"""What the engine makes of the files and dataset versions that it finds."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from atlas.errors import IngestionUnavailableError
from atlas.states import Level, ModelState, State
from benchmark_engine.connector import Connector
from benchmark_engine.model_manager import discover_model, discover_models, discover_versions, incompatibility, plan
from storage.models import Benchmark, ComponentStatus, DatasetTag, DatasetVersion, LogEntry, Model
from storage.objects import DirectoryStore, StoredObject
from tests.benchmark_engine.conftest import DictionaryIngestion, impacts, packed
from tests.samples import NOON, description, manifest

pytestmark = pytest.mark.django_db

Send = Callable[..., Path]
MANY = 100_000
LOOK_QUERIES = 6  # what is known, and what is to go; and the sign of life, in a savepoint


class CountingStore(DirectoryStore):
    """A folder with, besides its own, `extra` objects that nobody can read; it counts what it is asked."""

    def __init__(self, root: Path, extra: list[StoredObject]) -> None:
        super().__init__(root)
        self.asked: Counter[str] = Counter()
        self._extra = extra

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        self.asked["list"] += 1
        yield from self._extra
        yield from super().list(prefix)

    def stat(self, key: str) -> StoredObject:
        self.asked["stat"] += 1
        return super().stat(key)

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        self.asked["open"] += 1
        return super().open(key)


def many_known() -> list[StoredObject]:
    """So many objects, whose models are known."""
    Model.objects.create(key="models/0.atlas", etag="e0", name="0", size_bytes=1, digest="0" * 64, arrived=NOON)
    fields = [field.attname for field in Model._meta.concrete_fields if not field.primary_key]
    copied = ["'models/' || n || '.atlas'" if name == "key" else name for name in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {MANY - 1})
            INSERT INTO storage_model ({", ".join(fields)}) SELECT {", ".join(copied)} FROM storage_model, counted
            """
        )
    return [
        StoredObject(key=f"models/{number}.atlas", etag="e0", size_bytes=1, modified=NOON) for number in range(MANY)
    ]


def test_a_bundle_becomes_a_ready_model_and_is_read_once(connector: Connector, send: Send) -> None:
    send()
    assert discover_models(connector) == 1
    assert discover_models(connector) == 0
    model = Model.objects.get()
    assert (model.state, model.primary_metric) == (ModelState.READY, "f1")


def test_a_look_at_many_known_files_is_one_listing_and_no_reads(
    connector: Connector, send: Send, tmp_path: Path, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store = CountingStore(tmp_path / "objects", many_known())
    connector = replace(connector, objects=store)
    discover_models(connector)
    store.asked.clear()
    with django_assert_num_queries(LOOK_QUERIES):
        assert discover_models(connector) == 0
    assert store.asked == {"list": 1}
    send()
    assert discover_models(connector) == 1
    assert store.asked == {"list": 2, "open": 1}


def test_a_look_at_no_files_makes_as_many_queries_as_one_at_many(
    connector: Connector, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    discover_models(connector)
    with django_assert_num_queries(LOOK_QUERIES):
        discover_models(connector)


def test_a_file_that_is_said_to_have_arrived_is_taken_in_without_listing(
    connector: Connector, send: Send, tmp_path: Path
) -> None:
    store = CountingStore(tmp_path / "objects", [])
    bundle = send(tags=["impacts", "winter"])
    assert sorted(discover_model(replace(connector, objects=store), f"models/{bundle.name}")) == ["impacts", "winter"]
    assert store.asked == {"stat": 1, "open": 1}
    assert Model.objects.get().state == ModelState.READY


def test_a_file_that_is_said_to_have_arrived_twice_is_read_once(
    connector: Connector, send: Send, tmp_path: Path
) -> None:
    store = CountingStore(tmp_path / "objects", [])
    connector = replace(connector, objects=store)
    key = f"models/{send().name}"
    discover_model(connector, key)
    assert discover_model(connector, key) == []
    assert discover_models(connector) == 0
    assert store.asked["open"] == 1
    assert LogEntry.objects.filter(message__startswith="New model").count() == 1


def test_a_file_that_is_told_while_a_listing_goes_on_is_read_once(
    connector: Connector, send: Send, tmp_path: Path
) -> None:
    class InterruptedStore(CountingStore):
        def list(self, prefix: str = "") -> Iterator[StoredObject]:
            for found in super().list(prefix):
                yield found
                discover_model(connector, found.key)

    store = InterruptedStore(tmp_path / "objects", [])
    connector = replace(connector, objects=store)
    send()
    discover_models(connector)
    assert store.asked["open"] == 1
    assert LogEntry.objects.filter(message__startswith="New model").count() == 1


def test_a_file_that_is_gone_before_it_is_looked_at_is_no_model(connector: Connector) -> None:
    assert discover_model(connector, "models/gone.atlas") == []
    assert not Model.objects.exists()


def test_an_invalid_file_that_is_said_to_have_arrived_asks_for_no_versions(
    connector: Connector, objects: DirectoryStore
) -> None:
    objects.put("models/a.atlas", b"not a bundle")
    assert discover_model(connector, "models/a.atlas") == []
    assert Model.objects.get().state == ModelState.INVALID


def test_only_the_tags_that_are_named_are_asked_for(
    connector: Connector, send: Send, ingestion: DictionaryIngestion
) -> None:
    ingestion.add("winter", impacts(80))
    send(tags=["impacts", "winter"])
    discover_models(connector)
    assert discover_versions(connector, {"winter", "unused"}) == 1
    assert DatasetVersion.objects.get().tag.name == "winter"


def test_each_new_version_of_a_tag_in_use_is_kept_with_its_description(
    connector: Connector, send: Send, ingestion: DictionaryIngestion
) -> None:
    send()
    discover_models(connector)
    assert discover_versions(connector) == 1
    ingestion.add("impacts", impacts(80))
    assert discover_versions(connector) == 1
    assert list(DatasetVersion.objects.values_list("number", "rows")) == [(1, 60), (2, 80)]


def test_every_model_is_queued_on_every_version_of_its_tag(
    connector: Connector, send: Send, ingestion: DictionaryIngestion
) -> None:
    ingestion.add("impacts", impacts(80))
    send()
    send(version="1.1.0")
    discover_models(connector)
    discover_versions(connector)
    assert plan(connector) == 4
    assert plan(connector) == 0
    assert set(Benchmark.objects.values_list("state", flat=True)) == {State.QUEUED}


def test_what_was_recorded_but_not_planned_when_the_engine_died_is_planned_later(
    connector: Connector, send: Send
) -> None:
    send()
    discover_models(connector)
    discover_versions(connector)
    assert Benchmark.objects.count() == 0
    assert plan(connector) == 1


def test_a_dataset_without_a_column_is_incompatible_before_any_run(
    connector: Connector, send: Send, ingestion: DictionaryIngestion
) -> None:
    ingestion.tables["impacts"] = [impacts().drop_columns(["rms"])]
    send()
    discover_models(connector)
    discover_versions(connector)
    plan(connector)
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.reason) == (State.INCOMPATIBLE, "Column rms is missing.")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"label": "string", "peak": "int64", "rms": "float"}, ""),
        ({"label": "string", "peak": "double"}, "Column rms is missing."),
        ({"label": "string"}, "Column peak is missing. Column rms is missing."),
        ({"label": "string", "peak": "string", "rms": "double"}, "Column peak holds text, the model needs numbers."),
        ({"label": "string", "peak": "list<item: float>", "rms": "double"}, "Column peak holds lists, the model needs"),
        ({"peak": "double", "rms": "double"}, "The target label is missing."),
    ],
)
def test_incompatibility_names_each_column(columns: dict[str, str], reason: str) -> None:
    offered = description(columns=tuple({"name": name, "dtype": dtype} for name, dtype in columns.items()))
    found = incompatibility(manifest(), offered)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_an_invalid_file_is_kept_with_its_reason_and_the_next_model_is_not_harmed(
    connector: Connector, send: Send, objects: DirectoryStore
) -> None:
    objects.put("models/aaa.atlas", b"not a bundle")
    send()
    assert discover_models(connector) == 2
    invalid = Model.objects.get(state=ModelState.INVALID)
    assert "not a zip file" in invalid.reason
    assert invalid.log.get().level == Level.ERROR
    assert Model.objects.filter(state=ModelState.READY).count() == 1
    assert discover_models(connector) == 0


def test_an_invalid_file_is_looked_at_again_when_it_changes(
    connector: Connector, send: Send, objects: DirectoryStore, tmp_path: Path
) -> None:
    objects.put("models/a.atlas", b"not a bundle")
    discover_models(connector)
    send(packed(tmp_path), key="a.atlas")
    discover_models(connector)
    assert Model.objects.get().state == ModelState.READY


def test_a_name_that_is_taken_by_other_content_is_refused_and_reported(
    connector: Connector, send: Send, tmp_path: Path
) -> None:
    send()
    discover_models(connector)
    send(packed(tmp_path / "other", metrics=["accuracy"]), key="other.atlas")
    discover_models(connector)
    refused = Model.objects.get(state=ModelState.INVALID)
    assert "is taken by another model" in refused.reason
    assert LogEntry.objects.filter(model=refused, level=Level.ERROR).count() == 1


def test_the_same_file_under_another_key_is_the_same_model(connector: Connector, send: Send) -> None:
    bundle = send()
    discover_models(connector)
    send(bundle, key="copy.atlas")
    discover_models(connector)
    discover_versions(connector)
    assert Model.objects.get(state=ModelState.DUPLICATE).key == "models/copy.atlas"
    assert plan(connector) == 1


def test_a_ready_model_whose_file_is_replaced_stays_as_it_was(connector: Connector, send: Send, tmp_path: Path) -> None:
    bundle = send()
    discover_models(connector)
    digest = Model.objects.get().digest
    send(packed(tmp_path / "other", metrics=["accuracy"]), key=bundle.name)
    discover_models(connector)
    assert discover_models(connector) == 0
    model = Model.objects.get()
    assert (model.state, model.digest) == (ModelState.READY, digest)
    assert "replaced" in model.reason


def test_a_tag_that_the_ingestion_engine_does_not_know_is_reported_once(connector: Connector, send: Send) -> None:
    send(tags=["winter"])
    discover_models(connector)
    for _ in range(2):
        assert discover_versions(connector) == 0
    assert DatasetTag.objects.get(name="winter").problem == "There is no tag winter"
    assert LogEntry.objects.filter(level=Level.ERROR).count() == 1


def test_an_ingestion_engine_that_is_down_is_said_to_be_down(
    connector: Connector, send: Send, ingestion: DictionaryIngestion
) -> None:
    send()
    discover_models(connector)
    ingestion.reachable = False
    with pytest.raises(IngestionUnavailableError):
        discover_versions(connector)
    assert ComponentStatus.objects.get(name="ingestion").state == "down"
    ingestion.reachable = True
    discover_versions(connector)
    assert ComponentStatus.objects.get(name="ingestion").state == "healthy"
