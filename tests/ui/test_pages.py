"""The frame round every page, the login page and the error pages."""

import re

import pytest
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client
from django.urls import path

from ui import faults


def home(request: HttpRequest) -> HttpResponse:
    messages.error(request, "It failed.")
    return render(request, "ui/base.html")


@login_not_required
def broken(request: HttpRequest, status: int) -> HttpResponse:
    raise {400: BadRequest, 403: PermissionDenied, 500: ZeroDivisionError}[status]


urlpatterns = [
    path("", home, name="home"),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("broken/<int:status>/", broken),
]
handler400 = faults.not_understood
handler500 = faults.failed
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def ilse() -> User:
    return User.objects.create_user("ilse", password="correct horse", first_name="Ilse", last_name="Hartog")


def test_a_page_names_its_reader_and_shows_messages(client: Client, ilse: User) -> None:
    client.force_login(ilse)
    html = client.get("/").content.decode()
    assert "Ilse Hartog" in html
    assert re.search(r'class="verdict is-bad mb-3" role="status">.*?<p>It failed.</p>', html, re.DOTALL)
    assert 'aria-current="page"' in html


def test_signing_out_is_a_form_that_no_other_site_can_send(client: Client, ilse: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ilse)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get("/").content.decode())
    assert token
    assert strict.post("/logout/").status_code == 403
    assert strict.post("/logout/", {"csrfmiddlewaretoken": token[1]}).headers["Location"] == "/login/"


def test_a_wrong_password_is_said_and_the_name_is_kept(client: Client, ilse: User) -> None:
    html = client.post("/login/", {"username": "ilse", "password": "wrong"}).content.decode()
    assert 'role="alert"' in html
    assert 'value="ilse"' in html
    assert "wrong" not in re.sub(r"<[^>]+>", "", html)


def test_signing_in_leads_to_the_page_that_was_asked_for(client: Client, ilse: User) -> None:
    form = client.get("/login/?next=/%3Fq%3Dforest").content.decode()
    assert 'name="next" value="/?q=forest"' in form
    answer = client.post("/login/", {"username": "ilse", "password": "correct horse", "next": "/?q=forest"})
    assert answer.headers["Location"] == "/?q=forest"


@pytest.mark.parametrize(
    ("address", "status", "heading"),
    [
        ("/broken/400/", 400, "This request was not understood"),
        ("/broken/403/", 403, "This is not for you"),
        ("/nowhere/", 404, "There is no such page"),
        ("/broken/500/", 500, "This request failed"),
    ],
)
def test_each_error_has_a_page_with_a_way_out(address: str, status: int, heading: str) -> None:
    answer = Client(raise_request_exception=False).get(address)
    assert answer.status_code == status
    assert f"<h1>{heading}</h1>" in answer.content.decode()
    assert '<a class="btn btn-primary" href="/">' in answer.content.decode()


def test_a_form_without_its_token_has_expired(ilse: User) -> None:
    answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "ilse", "password": "correct horse"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()
