"""The first administrator is made from the settings, once."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from atlas.access import Role
from atlas.errors import SettingsError
from atlas_web.preparing.administrator import make_first_administrator
from atlas_web.preparing.settings import PreparationSettings
from storage import queries, records
from tests.samples import NOON
from ui.access import role_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def made(**changes: Any) -> str:
    given = {"admin_name": "ilse", "admin_password": "correct horse", "admin_email": "ilse@example.org"} | changes
    return make_first_administrator(PreparationSettings(**given), now=NOON)


def test_the_first_administrator_signs_in_with_what_the_settings_say_and_is_in_the_audit_log() -> None:
    assert made() == "Administrators: ilse was added."
    person = User.objects.get()
    assert (person.email, role_of(person)) == ("ilse@example.org", Role.ADMINISTRATOR)
    assert person.check_password("correct horse")
    assert [(each.verb, each.thing) for each in queries.actions()] == [("added", "ilse")]


def test_with_an_administrator_nobody_is_added_and_no_password_is_changed() -> None:
    made()
    assert made(admin_name="jan", admin_password="") == "Administrators: ilse is there already."
    assert User.objects.get().check_password("correct horse")


def test_without_a_name_it_says_what_to_set() -> None:
    assert "set ATLAS_ADMIN_NAME and ATLAS_ADMIN_PASSWORD" in made(admin_name="")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("admin_password", "", "too short"),
        ("admin_password", "password", "too common"),
        ("admin_password", "ilse@example", "too similar"),
        ("admin_name", "Ilse Bauer", "Enter a valid username"),
        ("admin_email", "ilse", "Enter a valid email address"),
    ],
)
def test_what_is_wrong_or_weak_is_refused_by_the_settings_name(variable: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"^ATLAS_{variable.upper()}: .*{problem}"):
        made(**{variable: value})
    assert not User.objects.exists()


def test_nobody_is_made_an_administrator_who_has_another_role() -> None:
    records.set_role(User.objects.create_user("ilse").pk, Role.VIEWER)
    with pytest.raises(SettingsError, match="ATLAS_ADMIN_NAME: ilse is the account of somebody"):
        made()
