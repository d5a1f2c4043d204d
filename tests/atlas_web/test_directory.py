"""Signing in with accounts of a real LDAP directory, whose groups give the roles."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from atlas.access import Role
from atlas_web.environment import Directory as Setup
from atlas_web.environment import GroupKind
from storage import queries, records
from tests.directory import BASE, PASSWORD, SEARCHER, Directory, group_dn
from ui.access import role_of

try:
    from atlas_web.ldap_settings import django_settings
except ImportError as missing:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip(f"{missing.name} is not installed: pip install -r requirements-ldap.txt", allow_module_level=True)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

GROUPS = {
    "viewers": group_dn("viewers"),
    "data_scientists": group_dn("scientists"),
    "administrators": group_dn("administrators"),
}


@pytest.fixture
def set_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has Atlas ask a directory, with these settings in the environment."""

    def ask(found: Directory, **changes: Any) -> None:
        values: dict[str, Any] = {
            "url": found.server.url,
            "bind_dn": SEARCHER,
            "bind_password": PASSWORD,
            "users": f"ou=people,{BASE}",
            "groups": f"ou=groups,{BASE}",
            "timeout_seconds": 2,
            **{name: group for name, group in GROUPS.items() if name != "viewers"},
            **changes,
        }
        for name, value in values.items():
            monkeypatch.setenv(Setup.variable(name), str(value))
        for name, value in django_settings(Setup.from_environment()).items():
            setattr(settings, name, value)
        backend = "atlas_web.directory.DirectoryBackend"
        settings.AUTHENTICATION_BACKENDS = [
            *settings.AUTHENTICATION_BACKENDS[:2],
            backend,
            *settings.AUTHENTICATION_BACKENDS[2:],
        ]

    return ask


@pytest.fixture
def asked(slapd: Directory, set_up: Any) -> Directory:
    set_up(slapd)
    return slapd


def signs_in(name: str, password: str = PASSWORD) -> bool:
    answer = Client().post("/login/", {"username": name, "password": password})
    return answer.status_code == 302


def role(name: str) -> Role | None:
    return role_of(User.objects.get(username=name))


def test_a_person_of_the_directory_signs_in_and_gets_an_account(asked: Directory) -> None:
    assert signs_in("ilse")
    ilse = User.objects.get()
    assert (ilse.username, ilse.get_full_name(), ilse.email) == ("ilse", "Ilse Hartog", "ilse@example.org")
    assert not ilse.has_usable_password()


def test_a_name_in_capitals_is_the_same_person(asked: Directory) -> None:
    assert signs_in("ilse")
    assert signs_in("ILSE")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "password"),
    [("ilse", "wrong"), ("ilse", ""), ("nobody", PASSWORD), ("*", PASSWORD), ("ilse)(uid=*", PASSWORD)],
)
def test_a_wrong_password_or_name_is_refused(asked: Directory, name: str, password: str) -> None:
    assert not signs_in(name, password)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ilse", Role.VIEWER),
        ("jan", Role.DATA_SCIENTIST),
        ("eva", Role.ADMINISTRATOR),
        ("root", Role.VIEWER),
    ],
)
def test_groups_give_roles_and_who_is_in_none_is_a_viewer(asked: Directory, name: str, expected: Role) -> None:
    assert signs_in(name)
    assert role(name) is expected


def test_an_administrator_of_the_directory_opens_the_administration(asked: Directory) -> None:
    client = Client()
    client.post("/login/", {"username": "eva", "password": PASSWORD})
    assert client.get("/admin/auth/user/").status_code == 200


def test_a_role_goes_with_the_group_at_the_next_sign_in(asked: Directory) -> None:
    assert signs_in("eva")
    asked.leave("eva", "administrators")
    try:
        assert role("eva") is Role.ADMINISTRATOR
        assert signs_in("eva")
        assert role("eva") is Role.VIEWER
    finally:
        asked.join("eva", "administrators")


def test_the_highest_of_several_groups_counts(asked: Directory) -> None:
    asked.join("jan", "administrators")
    try:
        assert signs_in("jan")
        assert role("jan") is Role.ADMINISTRATOR
    finally:
        asked.leave("jan", "administrators")


def test_where_viewers_have_a_group_others_may_not_sign_in(slapd: Directory, set_up: Any) -> None:
    set_up(slapd, viewers=GROUPS["viewers"].upper())
    assert {name: signs_in(name) for name in ("ilse", "jan", "root")} == {"ilse": True, "jan": True, "root": False}


def test_the_directory_does_not_give_away_local_accounts(asked: Directory) -> None:
    User.objects.create_superuser("root", password="local horse")
    assert not signs_in("root", PASSWORD)
    assert signs_in("root", "local horse")
    assert role("root") is Role.ADMINISTRATOR


def test_a_closed_account_stays_closed_in_new_and_in_old_sessions(asked: Directory) -> None:
    client = Client()
    client.post("/login/", {"username": "jan", "password": PASSWORD})
    assert client.get("/").status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/").status_code == 302
    assert not signs_in("jan")


def test_the_password_of_the_directory_is_not_changed_here(asked: Directory) -> None:
    client = Client()
    client.post("/login/", {"username": "jan", "password": PASSWORD})
    assert "your organisation" in client.get("/account/").content.decode()
    assert client.post("/account/password/").status_code == 404


def test_too_many_wrong_passwords_lock_out_here_too(asked: Directory, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    for _ in range(2):
        signs_in("jan", "wrong")
    assert not signs_in("jan")
    assert not signs_in("JAN ")


def test_while_the_directory_is_down_local_accounts_work_and_the_log_says_why_others_do_not(
    mortal_slapd: Directory, set_up: Any
) -> None:
    set_up(mortal_slapd)
    User.objects.create_user("local", password="local horse")
    mortal_slapd.server.kill()
    assert signs_in("local", "local horse")
    assert not signs_in("ilse")
    entry = queries.log()[0]
    assert entry.level == "error"
    assert "The LDAP directory could not be asked" in entry.message
    assert "Can't contact LDAP server" in entry.message
    mortal_slapd.server.start()
    mortal_slapd.server.wait_until_ready()
    assert signs_in("ilse")


def test_tls_is_used_if_the_certificate_is_trusted(slapd: Directory, set_up: Any) -> None:
    set_up(slapd, start_tls=True, ca_file=slapd.ca_file)
    assert signs_in("ilse")


def test_tls_with_a_certificate_that_nobody_vouches_for_is_refused(
    slapd: Directory, set_up: Any, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_text("")
    set_up(slapd, start_tls=True, ca_file=other)
    assert not signs_in("ilse")
    assert "could not be asked" in queries.log()[0].message


def test_groups_may_name_members_otherwise(slapd: Directory, set_up: Any) -> None:
    kind = "objectClass: posixGroup\ngidNumber: 500\nmemberUid: root"
    slapd.change(f"dn: {group_dn('posix')}\nchangetype: add\ncn: posix\n{kind}\n")
    set_up(slapd, group_kind=GroupKind.POSIX_GROUP, data_scientists=group_dn("posix"))
    try:
        assert signs_in("root")
        assert role("root") is Role.DATA_SCIENTIST
    finally:
        slapd.change(f"dn: {group_dn('posix')}\nchangetype: delete\n")


def test_a_person_s_role_is_that_of_the_directory_and_of_nobody_else(asked: Directory) -> None:
    assert signs_in("ilse")
    records.set_role(User.objects.get().pk, Role.ADMINISTRATOR)
    assert signs_in("ilse")
    assert role("ilse") is Role.VIEWER
