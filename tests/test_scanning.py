"""Somebody outside finds the sign-in, the static files and the sign of life, and nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.test import Client
from pytest_django import Settings

from ingestion_engine import settings as ingestion_settings
from tests import scanning
from ui.signing_in import LONGEST_PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
SITES = ("atlas_web.urls", "ingestion_engine.urls")
ADMINISTERED = re.compile("/admin/.+/x/")
"""Rows of the administration's many tables."""
WITHIN = ("/readyz",)
"""What the proxy keeps from those outside, and a process itself does not."""


@contextmanager
def inside() -> Iterator[httpx.Client]:
    """A site within this process, with the settings of the test."""
    with httpx.Client(transport=httpx.WSGITransport(get_wsgi_application()), base_url="http://localhost") as client:
        yield client


def lists_and_pages(site: str) -> list[str]:
    """The addresses of a site but for those that are as closed as the lists that they are in."""
    return [path for path in scanning.addresses(site) if not ADMINISTERED.match(path)]


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> str:
    """Each of both sites, with its own settings."""
    settings.STATIC_ROOT = None
    if request.param == "ingestion_engine.urls":
        settings.ROOT_URLCONF, settings.MIDDLEWARE = request.param, ingestion_settings.MIDDLEWARE
        settings.ATLAS_INGESTION_TOKEN = "what-components-bear"
        settings.ATLAS_INGESTION_STORE = str(tmp_path)
    return str(request.param)


def test_no_address_of_a_site_tells_somebody_outside_anything(site: str) -> None:
    with inside() as http:
        known = lists_and_pages(site)
        assert len(known) > 40
        found = scanning.walk(http, known, ("GET",), (*scanning.OPEN, *WITHIN))
        found += scanning.walk(http, scanning.GUESSED, ("GET", "DELETE"))
    assert found == []


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (200, {}, "rows", "status 200"),
        (500, {}, "", "status 500"),
        (302, {"Location": "https://evil.example/login/"}, "", "leads to https://evil.example/login/"),
        (302, {"Location": "//evil.example/"}, "", "leads to http://evil.example/"),
        (302, {"Location": "/account/"}, "", "leads to /account/"),
        (404, {"Server": "nginx/1.27"}, "", "tells a version in Server"),
        (404, {"X-Frame-Options": ""}, "", "lacks X-Frame-Options"),
        (404, {}, "Traceback (most recent call last):", "tells 'Traceback (most recent'"),
        (404, {"Set-Cookie": "sessionid=x; SameSite=Lax"}, "", "sets the cookie sessionid"),
        (404, {"Set-Cookie": "csrftoken=x"}, "", "sets a careless cookie: csrftoken=x"),
    ],
)
def test_what_a_site_must_not_answer_is_found(status: int, headers: dict[str, str], body: str, said: str) -> None:
    told = {**scanning.HEADERS, "Content-Type": "text/html", **headers}
    transport = httpx.MockTransport(lambda request: httpx.Response(status, headers=told, text=body))
    with httpx.Client(transport=transport, base_url="http://site") as http:
        assert [each.found for each in scanning.walk(http, ["/models/"], ("GET",))] == [said]


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "\t//e.x",
    ],
)
def test_signing_in_leads_nowhere_else(target: str) -> None:
    User.objects.create_user("ilse", password="correct horse")
    client = Client()
    for _signed_in_before in (False, True):
        answer = client.post("/login/", {"username": "ilse", "password": "correct horse", "next": target})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_password_of_megabytes_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("ilse", password="correct horse")
    hashed: list[int] = []
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher.verify"
    monkeypatch.setattr(hasher, lambda _self, password, _encoded: hashed.append(len(password)))
    for length in (LONGEST_PASSWORD, LONGEST_PASSWORD + 1):
        answer = Client().post("/login/", {"username": "ilse", "password": "x" * length})
        assert (answer.status_code, "sessionid" in answer.cookies) == (200, False)
    assert hashed == [LONGEST_PASSWORD]


@pytest.mark.parametrize("address", ["/", "/models/", "/alchemy.json", "/audit/actions.csv", "/healthz", "/login/"])
def test_browsers_keep_nothing_that_somebody_else_could_go_back_to(client: Client, address: str) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert "no-store" in client.get(address).headers["Cache-Control"]


def test_static_files_are_kept_by_browsers() -> None:
    with inside() as http:
        answer = http.get("/static/ui/upload.js")
    assert (answer.status_code, "no-store" in answer.headers["Cache-Control"]) == (200, False)
