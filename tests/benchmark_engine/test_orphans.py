"""The engine reports what nothing refers to, and nothing that somebody needs."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from atlas.access import Via
from atlas.results import Explanation
from benchmark_engine.connector import Connector
from benchmark_engine.model_manager import discover_models, discover_versions, plan
from benchmark_engine.sweeper import Sweeper
from storage import catalog, records
from storage.models import Orphan, StoreReport, Upload
from storage.objects import DirectoryStore
from storage.records import Claim
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


def put(objects: DirectoryStore, *keys: str) -> None:
    for key in keys:
        objects.put(key, b"rows")


def reported(connector: Connector) -> dict[str, str]:
    Sweeper(connector).report_orphans()
    return dict(Orphan.objects.values_list("key", "why"))


def test_what_a_running_benchmark_writes_is_none(connector: Connector, objects: DirectoryStore, claim: Claim) -> None:
    put(objects, f"predictions/{claim.token}.parquet", f"explanations/{claim.token}.arrow")
    assert reported(connector) == {}


def test_a_result_s_files_are_none_but_the_explanation_of_a_result_without_one_is(
    connector: Connector, objects: DirectoryStore, claim: Claim
) -> None:
    own = f"predictions/{claim.token}.parquet"
    put(objects, own, f"explanations/{claim.token}.arrow")
    unexplained = result(predictions_key=own, explanation=Explanation(impossible="It has no features."))
    records.finish(claim, unexplained, primary_metric="f1", now=NOON)
    assert reported(connector) == {
        f"explanations/{claim.token}.arrow": "An explanation of a result that has none.",
    }


def test_a_file_of_a_model_is_none_whether_or_not_it_was_taken_in_yet(
    connector: Connector, objects: DirectoryStore, claim: Claim
) -> None:
    put(objects, "models/new.atlas", "models/notes.txt")
    assert reported(connector) == {}


def test_parts_of_uploads_are_some_once_the_upload_is_over(connector: Connector, objects: DirectoryStore) -> None:
    under_way, over = uuid.uuid4(), uuid.uuid4()
    owner = User.objects.create_user("ilse")
    Upload.objects.create(
        id=under_way, owner=owner, name="a", size_bytes=1, sha256="0" * 64, started=NOON, touched=NOON
    )
    put(objects, f"uploads/{under_way}/1", f"uploads/{over}/1", f"uploads/{under_way.hex}-2", "uploads/notes.txt")
    assert reported(connector) == {
        f"uploads/{over}/1": "A part of an upload that is over.",
        "uploads/notes.txt": "Not a part of an upload, although it lies among them.",
    }


def test_files_that_atlas_does_not_write_are_reported_with_their_size_and_stay(
    connector: Connector, objects: DirectoryStore
) -> None:
    put(objects, "predictions/README.txt")
    assert reported(connector) == {"predictions/README.txt": "No file that Atlas writes into predictions/."}
    assert Orphan.objects.get().size_bytes == 4
    report = StoreReport.objects.get()
    assert (report.made, report.objects_seen, report.bytes_seen) == (NOON, 1, 4)
    Sweeper(connector).sweep()
    assert [found.key for found in objects.list()] == ["predictions/README.txt"]


def test_what_is_gone_leaves_the_report_and_what_stays_keeps_when_it_was_found(
    connector: Connector, objects: DirectoryStore
) -> None:
    put(objects, "predictions/a.txt", "predictions/b.txt")
    reported(connector)
    objects.delete("predictions/a.txt")
    connector.clock = lambda: NOON + timedelta(hours=1)
    assert list(reported(connector)) == ["predictions/b.txt"]
    assert Orphan.objects.get().found == NOON
    assert StoreReport.objects.get().made == NOON + timedelta(hours=1)


def test_what_is_cleaned_up_goes_and_is_not_reported_again_meanwhile(
    connector: Connector, objects: DirectoryStore
) -> None:
    put(objects, "predictions/a.txt", "predictions/b.txt")
    reported(connector)
    records.clean_up_orphans("root", Via.PAGE, NOON, ["predictions/a.txt"])
    assert list(reported(connector)) == ["predictions/b.txt"]
    Sweeper(connector).carry_out_removals()
    assert [found.key for found in objects.list()] == ["predictions/b.txt"]


def test_an_orphan_that_changed_since_the_report_stays(connector: Connector, objects: DirectoryStore) -> None:
    put(objects, "predictions/a.txt")
    reported(connector)
    objects.put("predictions/a.txt", b"something new")
    records.clean_up_orphans("root", Via.PAGE, NOON)
    Sweeper(connector).carry_out_removals()
    assert [found.key for found in objects.list()] == ["predictions/a.txt"]


def test_of_what_lies_among_predictions_only_foreign_files_are_reported(
    connector: Connector, objects: DirectoryStore
) -> None:
    put(objects, f"inferences/{'a' * 32}/predictions.parquet", f"inferences/rows/{uuid.uuid4()}.csv", "inferences/mine")
    assert reported(connector) == {"inferences/mine": "No file that Atlas writes into inferences/."}
