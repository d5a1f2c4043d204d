"""The first administrator, from the environment: who lets in everybody else."""

from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from atlas.access import Role, Verb, Via
from atlas.errors import SettingsError
from atlas_web.preparing.settings import PreparationSettings
from storage import records
from storage.roles import administrators

WHO = "manage.py prepare"
"""Who added them, as the audit log tells it."""


@transaction.atomic
def make_first_administrator(given: PreparationSettings, *, now: datetime) -> str:
    """Make the administrator whom the settings name, unless somebody administers Atlas already; what was done.

    Raises:
        SettingsError: the name is taken or wrong, or the password is missing or weak.
    """
    present = administrators().first()
    if present is not None:
        return f"Administrators: {present.username} is there already."
    if not given.admin_name:
        return (
            "Administrators: there is none; set ATLAS_ADMIN_NAME and ATLAS_ADMIN_PASSWORD and prepare again, "
            "unless those of a directory are to sign in."
        )
    person = _person(given)
    person.save()
    records.set_role(person.pk, Role.ADMINISTRATOR)
    kind = str(User._meta.verbose_name)
    records.record_action(WHO, Verb.ADDED, kind, person.username, via=Via.ADMIN, detail="first administrator", now=now)
    return f"Administrators: {person.username} was added."


def _person(given: PreparationSettings) -> User:
    """The account, not kept yet."""
    person = User(username=given.admin_name, email=given.admin_email)
    try:
        person.clean_fields(exclude=["password"])
    except ValidationError as error:
        wrong = next(iter(error.message_dict))
        variable = {"username": "ATLAS_ADMIN_NAME", "email": "ATLAS_ADMIN_EMAIL"}[wrong]
        raise SettingsError(f"{variable}: {' '.join(error.message_dict[wrong])}") from error
    if User.objects.filter(username=given.admin_name).exists():
        raise SettingsError(f"ATLAS_ADMIN_NAME: {given.admin_name} is the account of somebody who is no administrator")
    try:
        validate_password(given.admin_password, person)
    except ValidationError as error:
        raise SettingsError(f"ATLAS_ADMIN_PASSWORD: {' '.join(error.messages)}") from error
    person.set_password(given.admin_password)
    return person
