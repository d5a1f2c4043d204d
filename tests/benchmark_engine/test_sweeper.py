"""No predictions stay in the object store that belong to no benchmark, and none are removed that do."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from atlas.access import Via
from benchmark_engine import sweeper as sweeper_module
from benchmark_engine.connector import Connector
from benchmark_engine.model_manager import discover_models, discover_versions, plan
from benchmark_engine.sweeper import Sweeper
from benchmark_engine.worker import data_key
from storage import catalog, records
from storage.models import LogEntry, Model
from storage.objects import DirectoryStore
from storage.parts import KEPT
from storage.records import Claim, Wanted
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(connector: Connector, send: Callable[..., Path]) -> Claim:
    """A benchmark that runs."""
    send()
    discover_models(connector)
    discover_versions(connector)
    plan(connector)
    held = records.claim(catalog.next_to_claim(NOON, limit=1)[0], engine="one", lease=timedelta(seconds=30), now=NOON)
    assert held is not None
    return held


def put(objects: DirectoryStore, token: str, key: str = "predictions/{}.parquet") -> str:
    objects.put(key.format(token), b"rows")
    return key.format(token)


def kept(objects: DirectoryStore) -> set[str]:
    return {found.key for found in objects.list("predictions/")}


def test_an_empty_store_is_swept(connector: Connector) -> None:
    assert Sweeper(connector).sweep() == 0
    assert not LogEntry.objects.exists()


def test_what_a_lost_run_wrote_is_removed_and_what_a_running_one_writes_stays(
    connector: Connector, objects: DirectoryStore, claim: Claim
) -> None:
    running = put(objects, claim.token)
    put(objects, "lost")
    assert Sweeper(connector).sweep() == 1
    assert kept(objects) == {running}
    assert LogEntry.objects.latest("pk").message == ("Files of no benchmark were removed from the object store: 1.")


def test_explanations_stay_with_their_result_and_go_with_it(
    connector: Connector, objects: DirectoryStore, claim: Claim
) -> None:
    for token in (claim.token, "lost"):
        for name in ("predictions/{}.parquet", "explanations/{}.arrow", "explanations/{}.parquet"):
            put(objects, token, name)
    own = f"predictions/{claim.token}.parquet"
    records.finish(claim, result(predictions_key=own), primary_metric="f1", now=NOON)
    assert Sweeper(connector).sweep() == 3
    assert {found.key for found in objects.list("explanations/")} == {
        f"explanations/{claim.token}.arrow",
        f"explanations/{claim.token}.parquet",
    }


def test_a_result_s_predictions_stay_until_it_is_replaced(
    connector: Connector, objects: DirectoryStore, claim: Claim
) -> None:
    first = put(objects, claim.token)
    records.finish(claim, result(predictions_key=first), primary_metric="f1", now=NOON)
    Sweeper(connector).sweep()
    assert kept(objects) == {first}
    records.run_again(claim.benchmark, now=NOON)
    again = records.claim(claim.benchmark, engine="one", lease=timedelta(seconds=30), now=NOON)
    assert again is not None
    second = put(objects, again.token)
    records.finish(again, result(predictions_key=second), primary_metric="f1", now=NOON)
    Sweeper(connector).sweep()
    assert kept(objects) == {second}


def test_what_a_cancelled_run_wrote_is_removed(connector: Connector, objects: DirectoryStore, claim: Claim) -> None:
    put(objects, claim.token)
    records.cancel(claim.benchmark, by="ilse", now=NOON)
    Sweeper(connector).sweep()
    assert kept(objects) == set()


def test_many_are_swept_in_batches_and_other_objects_stay(
    connector: Connector, objects: DirectoryStore, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper_module, "BATCH", 2)
    for number in range(5):
        put(objects, f"lost{number}")
    running = put(objects, claim.token)
    objects.put("predictions/README.txt", b"notes")
    models = [found.key for found in objects.list("models/")]
    assert Sweeper(connector).sweep() == 5
    assert kept(objects) == {running, "predictions/README.txt"}
    assert [found.key for found in objects.list("models/")] == models


def test_what_was_discarded_is_removed_without_looking_at_the_rest(
    connector: Connector, objects: DirectoryStore
) -> None:
    replaced, other = put(objects, "replaced"), put(objects, "other")
    sweeper = Sweeper(connector)
    sweeper.discard(replaced)
    sweeper.remove_discarded()
    assert kept(objects) == {other}


def test_a_sweep_ends_when_its_engine_does(connector: Connector, objects: DirectoryStore) -> None:
    lost = put(objects, "lost")
    sweeper = Sweeper(connector)
    sweeper.close()
    assert sweeper.sweep() == 0
    assert kept(objects) == {lost}


def test_a_version_stays_for_the_workers_of_a_cluster_while_a_benchmark_needs_it(
    connector: Connector, objects: DirectoryStore, claim: Claim
) -> None:
    needed = data_key(catalog.assignment(claim.benchmark).version.description)
    for key in (needed, f"datasets/{'a' * 64}.arrow"):
        objects.put(key, b"rows")
    assert Sweeper(connector).sweep_datasets() == 1
    assert [found.key for found in objects.list("datasets/")] == [needed]
    records.finish(claim, result(), primary_metric="f1", now=NOON)
    assert Sweeper(connector).sweep_datasets() == 1
    assert list(objects.list("datasets/")) == []


def test_what_nobody_goes_on_sending_is_removed_and_never_taken_in(
    connector: Connector, objects: DirectoryStore, send: Callable[..., Path]
) -> None:
    owner = User.objects.create_user("ilse").pk
    old, new = (records.start_upload(owner, "m.atlas", 9, "0" * 64, now=now) for now in (NOON - KEPT * 2, NOON))
    for upload in (old, new):
        objects.put(f"uploads/{upload}/{0:016d}", send().read_bytes())
    discover_models(connector)
    assert [row.key for row in Model.objects.all() if row.key.startswith("uploads/")] == []
    assert Sweeper(connector).sweep_uploads() == 1
    assert [found.key for found in objects.list("uploads/")] == [f"uploads/{new}/{0:016d}"]


def test_of_predictions_only_old_files_are_removed_that_nothing_refers_to(
    connector: Connector, objects: DirectoryStore, claim: Claim
) -> None:
    kept, unused, fresh = (f"inferences/rows/{uuid.uuid4()}.csv" for _ in range(3))
    for key in (kept, unused, f"inferences/{'a' * 32}/predictions.parquet", "inferences/mine.csv"):
        objects.put(key, b"rows")
    wanted = Wanted(rows_key=kept)
    records.ask_inference(Model.objects.get().pk, wanted, by="ines", via=Via.PAGE, now=NOON)
    connector.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
    assert Sweeper(connector).sweep_inferences() == 2
    objects.put(fresh, b"rows")
    connector.clock = lambda: datetime.now(UTC)
    assert Sweeper(connector).sweep_inferences() == 0
    assert {found.key for found in objects.list("inferences/")} == {kept, fresh, "inferences/mine.csv"}
