"""The side menu."""

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path
from pytest import fixture, mark
from pytest_django import Settings

from ui import menu


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("", page, name="home"),
    path("models/", page, name="models"),
    path("audit/", page, name="audit"),
]
pytestmark = mark.urls(__name__)


@fixture(autouse=True)
def alone(settings: Settings) -> None:
    """No other process has pages."""
    settings.ATLAS_INGESTION_PAGES = ""


def listed(address: str, **may: bool) -> dict[str, bool]:
    return {link.entry.text: link.here for link in menu.links(RequestFactory().get(address), may)}


def test_only_pages_that_this_process_serves_are_listed() -> None:
    assert list(listed("/")) == ["Home", "Models"]


def test_the_audit_log_is_listed_for_those_who_may_read_it() -> None:
    assert "Audit log" in listed("/", administer=True)
    assert "Audit log" not in listed("/", administer=False, write=True)


def test_a_detail_page_lies_below_its_list() -> None:
    assert listed("/models/forest/") == {"Home": False, "Models": True}
    assert listed("/") == {"Home": True, "Models": False}


def test_pages_of_another_process_are_listed_where_the_settings_say_where_they_are(settings: Settings) -> None:
    settings.ATLAS_INGESTION_PAGES = "http://data.example"
    found = {link.entry.text: link.href for link in menu.links(RequestFactory().get("/"), {})}
    assert found["Recordings"] == "http://data.example"
    assert "Dashboard" not in found
