"""The login that the demo makes."""

import stat
from pathlib import Path

import pytest
from django.contrib.auth import authenticate

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


@pytest.mark.django_db
def test_the_user_can_log_in_and_administer() -> None:
    ensure_user("demo", "first password")
    user = authenticate(username="demo", password="first password")
    assert user is not None
    assert user.is_superuser


@pytest.mark.django_db
def test_the_user_always_has_the_password_that_is_shown() -> None:
    ensure_user("demo", "first password")
    ensure_user("demo", "second password")
    assert authenticate(username="demo", password="second password")
    assert not authenticate(username="demo", password="first password")
