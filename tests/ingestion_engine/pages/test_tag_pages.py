"""Tags and versions on pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from atlas.access import Role
from ingestion_engine import versions
from ingestion_engine.models import Tag, Version
from ingestion_engine.places import object_store
from tests.ingestion_engine.pages.conftest import Engine, add, drive

pytestmark = pytest.mark.any_database


def make(name: str, query: str = "") -> Tag:
    """A tag that is up to date."""
    tag = versions.create_tag(name, query, now=timezone.now())
    versions.refresh(tag, object_store(), now=timezone.now())
    return Tag.objects.get(name=name)


def test_a_tag_is_made_with_its_first_version(engine: Engine) -> None:
    add(drive())
    assert engine.send("/new-tag/", name="dents", query='label = "dent"', every_seconds="3600") == "/tags/dents/"
    tag = Tag.objects.get()
    assert (tag.every_seconds, tag.created_by) == (3600, "ilse")
    assert Version.objects.get().rows == 1
    page = engine.read("/tags/dents/")
    assert "Every hour" in page
    assert f'href="/versions/{Version.objects.get().query_id}/"' in page


def test_a_wrong_query_is_told_at_the_column(engine: Engine) -> None:
    page = engine.send("/new-tag/", 422, name="x", query="label = = 3")
    assert "label = = 3\n        ^" in page
    assert not Tag.objects.exists()


def test_a_name_that_stands_for_another_query_is_told_at_the_name(engine: Engine) -> None:
    make("dents", 'label = "dent"')
    page = engine.send("/new-tag/", 422, name="dents", query='label = "none"')
    assert "already stands for the query" in page


def test_a_query_is_counted_before_it_is_kept(engine: Engine) -> None:
    recording = drive()
    add(recording)
    add(recording, 2.0, 3.0, "none")
    assert ">2</strong> events now" in engine.send("/preview/", 200, query="")
    assert 'class="misread"' in engine.send("/preview/", 200, query="label = (")


def test_the_difference_of_two_versions_is_told(engine: Engine) -> None:
    recording = drive()
    add(recording)
    tag = make("all")
    add(recording, 2.0, 3.0, "scratch")
    versions.refresh(tag, object_store(), now=timezone.now())
    page = engine.read("/tags/all/")
    assert "Events added</dt><dd>1<" in page
    assert "Events removed</dt><dd>1<" in engine.read("/tags/all/?older=2&newer=1")
    assert "has no version 9" in engine.read("/tags/all/?older=1&newer=9")


def test_a_version_shows_what_it_holds_and_leads_to_its_files(engine: Engine) -> None:
    add(drive())
    make("all")
    version = Version.objects.get()
    page = engine.read(f"/versions/{version.query_id}/")
    assert "sound.peak" in page
    assert "&amp;format=parquet" in page
    data = engine.client.get(f"/api/v1/datasets/{version.query_id}/data?split=training&format=parquet")
    assert data.getvalue().startswith(b"PAR1")
    engine.read("/versions/nothing/", status=404)


def test_the_list_costs_the_same_queries_for_few_and_many(engine: Engine) -> None:
    add(drive())
    counts = []
    for more in (1, 5):
        for number in range(more):
            make(f"tag-{more}-{number}")
        with CaptureQueriesContext(connection) as captured:
            engine.read("/tags/")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_viewer_looks_and_makes_none(engine: Engine) -> None:
    make("all")
    engine.become(Role.VIEWER)
    assert "New tag" not in engine.read("/tags/")
    engine.read("/tags/all/")
    engine.read("/new-tag/", status=403)
