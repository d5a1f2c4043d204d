"""Headers that keep browsers from harm, on every kind of answer."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.parametrize("address", ["/", "/login/", "/nowhere/", "/healthz", "/admin/", "/audit/", "/logs/?q=x"])
def test_every_answer_has_them(client: Client, address: str) -> None:
    client.force_login(User.objects.create_user("ilse"))
    answer = client.get(address)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "camera=()" in answer.headers["Permissions-Policy"]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.fixture
def https(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 3600


def test_with_https_nobody_comes_in_by_http_but_the_health_check(https: None) -> None:
    client = Client()
    assert client.get("/login/").headers["Location"] == "https://testserver/login/"
    assert client.get("/healthz").status_code == 200


def test_with_https_cookies_and_browsers_stay_there(https: None) -> None:
    User.objects.create_user("ilse", password="correct horse")
    client = Client()
    answer = client.post("/login/", {"username": "ilse", "password": "correct horse"}, secure=True)
    assert answer.cookies["sessionid"]["secure"]
    assert answer.cookies["sessionid"]["httponly"]
    assert answer.cookies["sessionid"]["samesite"] == "Lax"
    assert answer.cookies["csrftoken"]["secure"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=3600"


def test_a_form_that_is_too_large_is_refused(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    client.force_login(User.objects.create_superuser("root"))
    answer = client.post("/queue/pause/", {"reason": "x" * 2000})
    assert answer.status_code == 413
    assert "This is too large" in answer.content.decode()
