"""Who is what: a person's role is the group of the same name."""

from collections.abc import Collection

from django.contrib.auth.models import Group, User
from django.db import transaction

from atlas.access import Role
from atlas.errors import LastAdministratorError
from storage.roles import administrators


@transaction.atomic
def set_role(person: int, role: Role) -> None:
    """Give a person a role in place of the one that they had."""
    user = User.objects.get(pk=person)
    user.groups.set([Group.objects.get_or_create(name=each.value)[0] for each in Role if each is role])
    User.objects.filter(pk=person).update(is_superuser=False)


def keep_an_administrator(leaving: Collection[int]) -> None:
    """Make sure that somebody administers Atlas when these people no longer do.

    Call it in the transaction in which they cease to: of two administrators who remove each other, the second waits
    here for the first, and is refused.

    Raises:
        LastAdministratorError: nobody would be left.
    """
    Group.objects.select_for_update().get_or_create(name=Role.ADMINISTRATOR.value)
    staying = administrators().exclude(pk__in=leaving)
    if not staying.exists():
        raise LastAdministratorError
