"""The login that the demo makes."""

import stat
from pathlib import Path

import pytest
from django.test import Client

from demo.story import ensure_user, kept_password


def test_the_password_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "password"
    password = kept_password(path)
    assert len(password) >= 12
    assert kept_password(path) == password
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_password(tmp_path / "other") != password


def test_a_password_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    assert kept_password(path)


def signed_in(password: str) -> Client:
    client = Client()
    client.post("/login/", {"username": "demo", "password": password})
    return client


@pytest.mark.django_db
def test_the_user_can_log_in_and_administer() -> None:
    ensure_user("demo", "first password")
    client = signed_in("first password")
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
def test_the_user_always_has_the_password_that_is_shown() -> None:
    ensure_user("demo", "first password")
    ensure_user("demo", "second password")
    assert signed_in("second password").get("/").status_code == 200
    assert signed_in("first password").get("/").status_code == 302
