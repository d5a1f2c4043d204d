"""Signing in with the account of an LDAP directory, whose groups say who is what."""

import logging
from typing import Any

import ldap
from django.contrib.auth.models import User
from django.dispatch import receiver
from django.utils import timezone
from django_auth_ldap.backend import LDAPBackend, ldap_error

from atlas.access import Role
from atlas.states import Level
from atlas_web import ldap_settings
from atlas_web.environment import Directory
from storage import records

_log = logging.getLogger(__name__)


class DirectoryBackend(LDAPBackend):  # type: ignore[misc]  # an untyped package
    """Signs people in by the directory, and gives them the role of their groups each time.

    Whoever's name a local account has is not signed in: the directory must not give away accounts that are not its own.
    """

    def authenticate_ldap_user(self, ldap_user: Any, password: str) -> User | None:
        """The person, with the role that their groups give now; None if the directory does not know them or they are
        in none of the groups that may sign in."""
        user: User | None = super().authenticate_ldap_user(ldap_user, password)
        if user is None:
            return None
        try:
            role = role_in(Directory.from_environment(), ldap_user.group_dns)
        except ldap.LDAPError as error:
            ldap_error.send(type(self), context="roles", user=user, request=None, exception=error)
            return None
        if role is None:
            _log.warning("%s is in none of the directory's groups that may sign in", user)
            return None
        records.set_role(user.pk, role)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The person of a session; None once their account is closed."""
        user: User | None = super().get_user(user_id)
        return user if user is not None and user.is_active else None

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
        """The person's account, or a new one without a password of its own.

        Raises:
            AuthenticationFailed: there is a local account of this name.
        """
        user, built = super().get_or_build_user(username, ldap_user)
        if built:
            user.set_unusable_password()
        elif user.has_usable_password():
            _log.warning("the directory's %s is not signed in: there is a local account of this name", username)
            raise ldap_user.AuthenticationFailed("there is a local account of this name")
        return user, built


def greet(directory: Directory) -> None:
    """Sign in as the account that searches, and leave.

    Raises:
        ldap.LDAPError: the directory does not answer, or refuses.
    """
    connection = ldap.initialize(directory.url)
    try:
        for option, value in ldap_settings.options(directory).items():
            connection.set_option(option, value)
        if directory.start_tls:
            connection.start_tls_s()
        connection.simple_bind_s(directory.bind_dn, directory.bind_password)
    finally:
        connection.unbind_s()


def role_in(directory: Directory, groups: set[str]) -> Role | None:
    """The highest role that groups, given by their distinguished names in lower case, give.

    Who is in none of them is a viewer, unless there is a group of viewers: then they may not sign in, which is None.
    """
    held = {name.casefold() for name in groups}
    for role, group in reversed(directory.roles.items()):
        if group and group.casefold() in held:
            return role
    return None if directory.viewers else Role.VIEWER


@receiver(ldap_error)
def report_trouble(*, context: str, exception: Exception, **_: object) -> None:
    """Keep in the log that the directory could not be asked; local accounts work all the same."""
    what = str(exception.args[0].get("desc", exception)) if _has_words(exception) else repr(exception)
    records.log(
        "dashboard",
        f"The LDAP directory could not be asked ({context}): {what}. Local accounts can still sign in.",
        level=Level.ERROR,
        detail=repr(exception),
        now=timezone.now(),
    )


def _has_words(exception: Exception) -> bool:
    return bool(exception.args) and isinstance(exception.args[0], dict)
