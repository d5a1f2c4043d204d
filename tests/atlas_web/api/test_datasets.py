"""Dataset tags and versions over the API."""

import pytest

from atlas.api import BenchmarkDrift, Page, TagSummary, VersionDetail, VersionSummary
from atlas.drift import TableDrift
from storage import records
from tests import stage
from tests.atlas_web.api.conftest import Script
from tests.drifting import changing_dataset, column, drift, from_reference, keep_for
from tests.samples import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tags() -> None:
    """A tag with two versions and a model, and one that the ingestion engine knows without events."""
    for number in (1, 2):
        stage.add_version(number)
    stage.add_model(tags=("impacts",))
    records.record_tag("winter", query="season = winter", checked=NOON)


def test_tags_are_listed_with_their_newest_versions(reading: Script) -> None:
    impacts, winter = Page[TagSummary].model_validate(reading.get("tags")).items
    assert impacts.newest is not None
    assert (impacts.newest.number, impacts.newest.query_id) == (2, "impacts-v2")
    assert (impacts.rows, impacts.versions, impacts.models) == (100, 2, 1)
    assert (winter.newest, winter.query, winter.versions) == (None, "season = winter", 0)


@pytest.mark.parametrize(
    ("query", "names"),
    [("q=season", ["winter"]), ("order=-name", ["winter", "impacts"]), ("order=-rows", ["impacts", "winter"])],
)
def test_tags_are_narrowed_and_ordered(reading: Script, query: str, names: list[str]) -> None:
    assert [each["name"] for each in reading.get(f"tags?{query}")["items"]] == names


def test_a_tag_is_found_by_its_name(reading: Script) -> None:
    assert TagSummary.model_validate(reading.get("tags/winter")).query == "season = winter"
    for name in ("summer", "%00"):
        assert reading("GET", f"tags/{name}").status == 404


def test_versions_are_listed_the_newest_first(reading: Script) -> None:
    page = Page[VersionSummary].model_validate(reading.get("tags/impacts/versions"))
    assert [(each.number, each.rows, each.evaluation_rows) for each in page.items] == [(2, 100, 30), (1, 100, 30)]
    assert reading("GET", "tags/summer/versions").status == 404


def test_a_version_tells_its_schema_and_statistics(reading: Script) -> None:
    found = VersionDetail.model_validate(reading.get("tags/impacts/versions/1"))
    assert found.description.statistics.labels == {"intact": 60, "damaged": 40}
    assert [column.name for column in found.description.columns] == ["id", "label", "peak", "rms"]
    for number in (3, 0):
        assert reading("GET", f"tags/impacts/versions/{number}").status == 404
    assert reading("GET", "tags/winter/versions/1").status == 404


def test_the_drift_of_a_version_is_that_from_the_one_before_or_from_the_first(reading: Script) -> None:
    changing_dataset("snow")
    since = TableDrift.model_validate(reading.get("tags/snow/versions/2/drift"))
    assert since == drift(column("gas.temperature", 0.31), column("peak", 0.04))
    first = TableDrift.model_validate(reading.get("tags/snow/versions/3/drift?since=first"))
    assert (first.compared_with, first.version, first.share_moved) == ("first", 1, 0.5)
    assert reading("GET", "tags/snow/versions/3/drift?since=yesterday").status == 422


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("snow/versions/1", "the first version"),
        ("impacts/versions/1", "has not been compared yet"),
        ("snow/versions/9", "no version 9"),
        (f"snow/versions/{10**30}", "no version"),
    ],
)
def test_where_it_is_not_known_a_sentence_says_why(reading: Script, version: str, why: str) -> None:
    changing_dataset("snow")
    answer = reading("GET", f"tags/{version}/drift")
    assert answer.status == 404
    assert why in answer.document["detail"]


def test_the_drift_of_a_benchmark_is_that_from_what_its_model_was_trained_on(reading: Script) -> None:
    benchmark = stage.finish(stage.add_model("Linear-1.0.0-2"), stage.add_version(3))
    path = f"benchmarks/{benchmark}/drift"
    keep_for(benchmark, unknown="The bundle has no sample of its training data.")
    answer = reading("GET", path)
    assert (answer.status, answer.document["detail"]) == (404, "The bundle has no sample of its training data.")
    found, predictions = from_reference(column("peak", 0.2)), column("prediction", 0.3)
    keep_for(benchmark, found, predictions=predictions.model_dump(mode="json"))
    assert BenchmarkDrift.model_validate(reading.get(path)) == BenchmarkDrift(
        **dict(found), predictions_since=predictions
    )
    assert reading("GET", "benchmarks/999/drift").status == 404
