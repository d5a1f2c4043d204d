"""The log: its newest lines, older ones, those that come meanwhile, and files of them."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from atlas.states import Level
from atlas_web.pages import log as page
from storage import records
from storage.models import LogEntry
from tests import stage
from tests.atlas_web.conftest import Count, Read, Shown

pytestmark = pytest.mark.django_db


def lines(shown: Shown) -> list[str]:
    """The words of each line that is shown."""
    return [Shown(200, part).text for part in shown.html.split('<div class="line ')[1:]]


@pytest.fixture
def three() -> None:
    now = timezone.now()
    records.log("engine", "first", now=now - timedelta(days=2))
    records.log("engine", "second", now=now - timedelta(hours=5), level=Level.ERROR, detail="Traceback: <none>")
    records.log("storage", "third", now=now)


def newest() -> int:
    return LogEntry.objects.latest("pk").pk


def body(client: Client, address: str) -> str:
    return b"".join(client.get(address)).decode()


@pytest.mark.usefixtures("three")
def test_a_line_says_when_who_how_serious_and_what(read: Read) -> None:
    entry = LogEntry.objects.get(message="second")
    shown = lines(read("/logs/"))
    assert f"{entry.time:%d %b %H:%M:%S} engine ERROR second Details Traceback: <none>" in shown[1]
    assert ["first" in shown[0], "third" in shown[2]] == [True, True]


def test_a_line_leads_to_what_it_is_about(read: Read) -> None:
    model = stage.add_model()
    benchmark = stage.finish(model, stage.add_version())
    records.log("engine", "A model.", now=timezone.now(), model=model)
    records.log("engine", "A benchmark.", now=timezone.now(), model=model, benchmark=benchmark)
    html = read("/logs/").html
    assert f'href="/models/{model}/" title="Forest-1.0.0-1">Open model<' in html
    assert f'href="/benchmarks/{benchmark}/" title="Forest-1.0.0-1 on impacts v1">Open benchmark<' in html


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("level=error", ["second"]),
        ("component=storage", ["third"]),
        ("q=traceback", ["second"]),
        ("q=second+nothing", []),
        ("component=engine&level=info", ["first"]),
    ],
)
def test_the_log_is_narrowed_and_so_are_its_tail_and_its_files(
    read: Read, reader: Client, query: str, found: list[str]
) -> None:
    for shown in (lines(read(f"/logs/?{query}")), lines(read(f"/logs/tail/?{query}&after=0"))):
        assert [name for name in ("first", "second", "third") if any(f" {name}" in line for line in shown)] == found
    saved = [json.loads(line) for line in body(reader, f"/logs/lines.jsonl?{query}").splitlines()]
    assert [line["message"] for line in saved] == found


@pytest.mark.usefixtures("three")
def test_the_log_is_cut_at_times(read: Read) -> None:
    day_ago, hour_ago = timezone.now() - timedelta(days=1), timezone.now() - timedelta(hours=1)
    shown = lines(read(f"/logs/?since={day_ago:%Y-%m-%dT%H:%M}&until={hour_ago:%Y-%m-%dT%H:%M}"))
    assert len(shown) == 1
    assert "second" in shown[0]


@pytest.mark.parametrize(
    ("query", "said"),
    [("since=yesterday", "From, UTC: Enter a valid date"), ("level=loud", "Level: "), ("model=forest", "Model: ")],
)
def test_a_filter_that_is_wrong_is_answered_in_place(read: Read, query: str, said: str) -> None:
    shown = read(f"/logs/?{query}")
    assert shown.status == 200
    assert said in shown.text


def test_the_lines_about_a_model_are_also_those_about_its_benchmarks(read: Read) -> None:
    model, other = stage.add_model("Forest-1"), stage.add_model("Other-1")
    benchmark = stage.finish(model, stage.add_version())
    records.log("engine", "one", now=timezone.now(), model=model)
    records.log("engine", "two", now=timezone.now(), benchmark=benchmark)
    records.log("engine", "three", now=timezone.now(), model=other)
    shown = read(f"/logs/?model={model}")
    assert len(lines(shown)) == 2
    assert "Only about Forest-1" in shown.text
    assert len(lines(read(f"/logs/?benchmark={benchmark}"))) == 1


def test_older_lines_are_a_page_away_and_none_is_lost(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LINES", 3)
    for number in range(7):
        records.log("engine", f"line {number}", now=timezone.now())
    shown, found = [read("/logs/")], list[str]()
    while "before=" in shown[-1].html:
        before = shown[-1].html.split("before=")[1].split('"')[0]
        shown.append(read(f"/logs/?before={before}"))
    for earlier in shown:
        found = [line.split("line ")[1].split()[0] for line in lines(earlier)] + found
    assert found == [str(number) for number in range(7)]
    assert len(shown) == 3


@pytest.mark.usefixtures("three")
def test_the_tail_gives_what_came_since_and_nothing_if_nothing_did(read: Read) -> None:
    last = newest()
    assert f"after={last}" in read("/logs/").html
    assert read(f"/logs/tail/?after={last}").status == 204
    records.log("engine", "fourth", now=timezone.now())
    shown = read(f"/logs/tail/?after={last}")
    assert len(lines(shown)) == 1
    assert f"after={newest()}" in shown.html
    assert f"after={newest()}" in read(f"/logs/tail/?level=error&after={last}").html


def test_a_tail_that_has_fallen_behind_catches_up_look_by_look(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_AT_ONCE", 2)
    for number in range(3):
        records.log("engine", f"line {number}", now=timezone.now())
    first = read("/logs/tail/?after=0")
    after = first.html.split("after=")[1].split('"')[0]
    assert len(lines(first) + lines(read(f"/logs/tail/?after={after}"))) == 3


@pytest.mark.usefixtures("three")
def test_the_lines_are_saved_as_a_table(reader: Client) -> None:
    saved = body(reader, "/logs/lines.csv").splitlines()
    assert saved[0] == "time,level,component,message,detail,model,benchmark"
    assert len(saved) == 4
    assert reader.get("/logs/lines.xml").status_code == 404


def test_a_line_that_a_spreadsheet_would_calculate_is_saved_as_text(reader: Client) -> None:
    records.log("engine", "=HYPERLINK(1)", now=timezone.now(), detail="@what a model printed")
    assert body(reader, "/logs/lines.csv").splitlines()[1].split(",")[3:5] == [
        "'=HYPERLINK(1)",
        "'@what a model printed",
    ]


@pytest.mark.usefixtures("three")
def test_components_are_offered_by_name(read: Read) -> None:
    html = read("/logs/").html
    assert html.index('<option value="engine"') < html.index('<option value="storage"')


def test_an_empty_log_says_what_will_be_there(read: Read) -> None:
    assert "No lines yet" in read("/logs/").text


@pytest.mark.parametrize("address", ["/logs/", "/logs/?level=info", "/logs/tail/?after=0"])
def test_the_queries_do_not_grow(queries_of: Count, fill: Callable[[int], None], address: str) -> None:
    fill(3)
    few = queries_of(address)
    fill(12)
    assert queries_of(address) == few
