"""The side menu."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path
from pytest import mark

from ui import menu


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("", page, name="home"), path("models/", page, name="models"), path("admin/", admin.site.urls)]
pytestmark = mark.urls(__name__)


def listed(address: str, **may: bool) -> dict[str, bool]:
    return {link.entry.text: link.here for link in menu.links(RequestFactory().get(address), may)}


def test_only_pages_that_this_process_serves_are_listed() -> None:
    assert list(listed("/")) == ["Home", "Models"]


def test_administration_is_listed_for_those_who_may() -> None:
    assert "Administration" in listed("/", administer=True)
    assert "Administration" not in listed("/", administer=False, write=True)


def test_a_detail_page_lies_below_its_list() -> None:
    assert listed("/models/forest/") == {"Home": False, "Models": True}
    assert listed("/") == {"Home": True, "Models": False}
