"""The log."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from atlas.states import Level
from storage import records
from tests import stage
from tests.atlas_web.conftest import Count, Read

pytestmark = pytest.mark.django_db


def test_a_line_says_when_how_serious_who_and_what(read: Read) -> None:
    now = timezone.now()
    records.log("engine", "It failed.", now=now, level=Level.ERROR, detail="Traceback: <none>")
    (row,) = read("/logs/").rows()
    assert row == f"{now:%d %b %H:%M:%S} Error Error engine It failed. Details Traceback: <none>"


def test_a_line_leads_to_what_it_is_about(read: Read) -> None:
    model = stage.add_model()
    benchmark = stage.finish(model, stage.add_version())
    records.log("engine", "A model.", now=timezone.now(), model=model)
    records.log("engine", "A benchmark.", now=timezone.now(), model=model, benchmark=benchmark)
    html = read("/logs/").html
    assert f'href="/models/{model}/" title="Forest-1.0.0-1">Open model<' in html
    assert f'href="/benchmarks/{benchmark}/" title="Forest-1.0.0-1 on impacts v1">Open benchmark<' in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["third", "second", "first"]),
        ("sort=time", ["first", "second", "third"]),
        ("level=error", ["second"]),
        ("component=storage", ["third"]),
        ("q=traceback", ["second"]),
        ("q=second+nothing", []),
    ],
)
def test_the_log_is_searched_filtered_and_sorted(read: Read, query: str, found: list[str]) -> None:
    now = timezone.now()
    records.log("engine", "first", now=now - timedelta(seconds=9))
    records.log("engine", "second", now=now - timedelta(seconds=5), level=Level.ERROR, detail="Traceback")
    records.log("storage", "third", now=now)
    rows = read(f"/logs/?{query}").rows()
    assert len(rows) == len(found)
    assert all(word in row for word, row in zip(found, rows, strict=True))


def test_an_empty_log_says_what_will_be_there(read: Read) -> None:
    assert "No log entries yet" in read("/logs/").text


def test_the_queries_do_not_grow(queries_of: Count, fill: Callable[[int], None]) -> None:
    fill(3)
    few = queries_of("/logs/")
    fill(12)
    assert queries_of("/logs/") == few
