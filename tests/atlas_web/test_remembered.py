"""Lists come back as each person left them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from storage import queries
from tests import stage
from tests.atlas_web.conftest import Count, Read

pytestmark = pytest.mark.django_db

LIST = "http://testserver/models/"


@pytest.fixture(autouse=True)
def models() -> None:
    stage.add_model("Forest-1.0.0-1")
    stage.add_model("Linear-1.0.0-1")


def leave(client: Client, query: str, *, came_from: str = LIST, **headers: str) -> None:
    assert client.get(f"/models/{query}", headers={"Referer": came_from, **headers}).status_code == 200


def comes_back(client: Client, address: str = "/models/") -> str:
    """Where the list leads when it is opened afresh."""
    answer = client.get(address)
    return answer.headers.get("Location", address) if answer.status_code == 302 else address


def test_a_list_comes_back_with_its_filters_its_order_and_its_size(reader: Client) -> None:
    leave(reader, "?q=forest&sort=-arrived&per_page=50&page=1")
    assert comes_back(reader) == "/models/?q=forest&sort=-arrived&per_page=50"


def test_htmx_leaves_it_so_too_and_empties_it(reader: Client) -> None:
    leave(reader, "?q=forest", came_from=f"{LIST}?q=fores", **{"HX-Request": "true"})
    assert comes_back(reader) == "/models/?q=forest"
    leave(reader, "", came_from=f"{LIST}?q=forest", **{"HX-Request": "true"})
    assert comes_back(reader) == "/models/"


def test_a_form_that_is_sent_empty_forgets_the_filters(reader: Client) -> None:
    leave(reader, "?q=forest")
    leave(reader, "?q=&state=")
    assert comes_back(reader) == "/models/"


@pytest.mark.parametrize("elsewhere", ["", "http://testserver/", "https://example.org/models/"])
def test_a_link_from_elsewhere_shows_what_it_says_and_changes_nothing(reader: Client, elsewhere: str) -> None:
    leave(reader, "?q=forest")
    leave(reader, "?q=linear", came_from=elsewhere)
    assert comes_back(reader) == "/models/?q=forest"


def test_a_link_with_a_query_of_its_own_is_not_mixed_with_what_was_left(reader: Client, read: Read) -> None:
    leave(reader, "?q=forest")
    assert "Linear" in read("/models/?sort=name").text


def test_clearing_the_filters_forgets_them(reader: Client, read: Read) -> None:
    leave(reader, "?q=forest")
    assert 'href="/models/?clear="' in read("/models/?q=forest").html
    answer = reader.get("/models/?clear=")
    assert answer.headers["Location"] == "/models/"
    assert comes_back(reader) == "/models/"


def test_what_matches_nothing_can_be_cleared_too(read: Read) -> None:
    assert 'href="/models/?clear="' in read("/models/?q=nothing").html


def test_what_the_list_does_not_know_is_not_kept(reader: Client) -> None:
    leave(reader, "?q=forest&colour=blue")
    assert comes_back(reader) == "/models/?q=forest"


def test_each_list_and_each_person_has_its_own(reader: Client) -> None:
    leave(reader, "?q=forest")
    assert comes_back(reader, "/benchmarks/") == "/benchmarks/"
    other = Client()
    other.force_login(User.objects.create_user("jan"))
    assert comes_back(other) == "/models/"
    assert queries.kept_view(User.objects.get(username="jan").pk, "models") == ""


def test_remembering_costs_one_query(queries_of: Count) -> None:
    assert queries_of("/models/") == queries_of("/models/?q=") + 1


@pytest.mark.parametrize("address", ["/benchmarks/", "/datasets/"])
def test_every_list_is_remembered(reader: Client, address: str) -> None:
    reader.get(f"{address}?q=forest", headers={"Referer": f"http://testserver{address}"})
    assert comes_back(reader, address) == f"{address}?q=forest"
