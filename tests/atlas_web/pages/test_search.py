"""The search language above the lists, the search for everything, and what the boxes offer."""

import json
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import result

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled() -> None:
    version = stage.add_version(1)
    stage.finish(stage.add_model("Forest-1.0.0-1"), version, result(f1=0.9))
    stage.finish(stage.add_model("Linear-1.0.0-1", use_case="scratch finder"), version, result(f1=0.5))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("address", ["/models/", "/benchmarks/"])
def test_a_list_takes_the_search_language_and_plain_words(read: Read, address: str) -> None:
    for query in ("f1+>+0.8", "use_case+%3D+%22damage+detector%22", "forest"):
        (row,) = read(f"{address}?q={query}").rows()
        assert row.startswith("Forest")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("address", ["/models/", "/benchmarks/"])
def test_what_is_wrong_with_a_search_is_said_below_its_box(read: Read, address: str) -> None:
    shown = read(f"{address}?q=f1+>+'high'")
    assert 'Column 6: f1 is a number: expected one such as 0.9, not "high".' in shown.text
    assert 'aria-invalid="true"' in shown.html
    assert 'aria-describedby="id_q_error"' in shown.html
    assert shown.rows() == [] or "Forest" not in shown.html.split('id="table"')[1]


@pytest.mark.usefixtures("filled")
def test_while_one_types_what_is_wrong_comes_alone_and_the_rows_stay(reader: Client) -> None:
    answer = reader.get("/models/?q=f1+>", headers={"HX-Request": "true"})
    assert (answer.headers["HX-Reswap"], answer.headers["HX-Push-Url"]) == ("none", "false")
    text = answer.content.decode()
    assert 'id="id_q_error" role="alert" hx-swap-oob="true">Column 5: The search ends too early' in text
    assert "<table" not in text
    mended = reader.get("/models/?q=f1+>+0.8", headers={"HX-Request": "true"})
    assert "HX-Reswap" not in mended.headers
    assert 'id="id_q_error" role="alert" hx-swap-oob="true"></p>' in mended.content.decode()


@pytest.mark.parametrize("address", ["/models/", "/benchmarks/", "/search/"])
def test_a_page_tells_how_to_search(read: Read, address: str) -> None:
    text = read(address).text
    assert "f1_macro > 0.9" in text
    assert "use_case" in text


@pytest.mark.usefixtures("filled")
def test_the_boxes_are_offered_fields_operators_and_values(reader: Client) -> None:
    answer = reader.get("/search/models.json")
    assert sorted(answer.headers["Cache-Control"].split(", ")) == ["max-age=60", "private"]
    fields = {field["name"]: field for field in json.loads(answer.content)["fields"]}
    assert fields["use_case"]["values"] == ["damage detector", "scratch finder"]
    assert fields["author"]["values"] == ["Ines Prado"]
    assert fields["tag"]["values"] == ["impacts"]
    assert fields["state"]["values"] == ["benchmarked", "waiting", "failed", "invalid"]
    assert fields["name"]["values"] == []
    assert fields["f1"] == {"name": "f1", "about": "F1", "kind": "number", "values": [],
                            "operators": ["=", "!=", ">", ">=", "<", "<=", "in", "not in"]}  # fmt: skip
    assert "reason" in {field["name"] for field in json.loads(reader.get("/search/benchmarks.json").content)["fields"]}
    assert reader.get("/search/authors.json").status_code == 404


@pytest.mark.usefixtures("filled")
def test_everything_is_found_by_words_kind_by_kind(read: Read) -> None:
    shown = read("/search/?q=forest")
    assert "Models All 1" not in shown.text
    assert "Models 1 model Forest-1.0.0-1 damage detector, Ines Prado" in shown.text
    assert "Benchmarks 1 benchmark Forest-1.0.0-1 impacts v1, done, 0.900" in shown.text
    assert '/benchmarks/?q=model+~+%22forest%22"' in shown.html
    assert "All 2 benchmarks" in read("/search/?q=impacts").text
    assert "Dataset versions impacts v1 impacts-v1," in read("/search/?q=impacts-v1").text
    assert "Authors Ines Prado ines@example.org" in read("/search/?q=ines@").text
    assert "Pages Leaderboard" in read("/search/?q=leader").text
    assert "Pages" not in read("/search/?q=audit").text


@pytest.mark.usefixtures("filled")
def test_the_links_to_all_lead_to_what_was_counted(read: Read) -> None:
    shown = read("/search/?q=impacts+v1+forest")
    (query,) = {each.split('"')[0] for each in shown.html.split('href="/benchmarks/?q=')[1:]}
    (row,) = read(f"/benchmarks/?q={unescape(query)}").rows()
    assert row.startswith("Forest")


@pytest.mark.usefixtures("filled")
def test_everything_is_found_by_the_search_language(read: Read) -> None:
    text = read("/search/?q=f1+>+0.8").text
    assert "Models 1 model Forest" in text
    assert "Linear" not in text
    wrong = read("/search/?q=f1+>+0.8+and")
    assert "Column 13: The search ends too early: expected a field." in wrong.text
    assert 'aria-invalid="true"' in wrong.html
    half = read("/search/?q=done+>+0").text
    assert "Benchmarks: Column 1: There is no field done." in half
    assert "Models All 2 models" in half


def test_nothing_is_found_usefully(read: Read) -> None:
    assert "Nothing matches" in read("/search/?q=forest").text
    assert "Nothing matches" not in read("/search/?q=+").text


@pytest.mark.usefixtures("filled")
def test_while_one_types_the_first_few_are_offered(read: Read) -> None:
    shown = read("/search/?q=forest", **{"HX-Request": "true"})
    assert "<html" not in shown.html
    assert shown.html.count('role="option"') == 2
    assert 'role="listbox"' not in read("/search/?q=nothing", **{"HX-Request": "true"}).html
    assert read("/search/", **{"HX-Request": "true"}).text == ""


@pytest.mark.parametrize(
    "text", ["%00", "%ED%A0%80", "a%00b+>+3", "x" * 2000, "%F0%9F%98%80", "(" * 300 + ">", "'", '"']
)
@pytest.mark.parametrize("address", ["/search/", "/models/", "/benchmarks/"])
def test_any_text_is_answered(read: Read, address: str, text: str) -> None:
    assert read(f"{address}?q={text}").status == 200
    assert read(f"{address}?q={text}", **{"HX-Request": "true"}).status == 200


@pytest.mark.parametrize(
    "address",
    ["/search/?q=forest", "/search/?q=impacts+v1", "/search/?q=f1+>+0.1", "/search/models.json",
     "/models/?q=f1+>+0.1+and+accuracy+>+0.1", "/benchmarks/?q=f1+>+0.1"],
)  # fmt: skip
def test_a_search_costs_the_same_queries_however_much_there_is(
    fill: Callable[[int], None], queries_of: Count, address: str
) -> None:
    fill(2)
    few = queries_of(address)
    fill(4)
    assert queries_of(address) == few
