"""The side menu."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path
from pytest import mark

from ui import menu


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("", page, name="home"), path("models/", page, name="models")]
pytestmark = mark.urls(__name__)


def listed(address: str, user: User) -> dict[str, bool]:
    request = RequestFactory().get(address)
    request.user = user
    return {link.entry.text: link.here for link in menu.links(request)}


def test_only_pages_that_this_process_serves_are_listed() -> None:
    assert list(listed("/", User())) == ["Home", "Models"]


def test_a_detail_page_lies_below_its_list() -> None:
    assert listed("/models/forest/", User()) == {"Home": False, "Models": True}
    assert listed("/", User()) == {"Home": True, "Models": False}


def test_a_request_without_a_user_gets_the_menu_too() -> None:
    assert [link.entry.text for link in menu.links(RequestFactory().get("/"))] == ["Home", "Models"]
