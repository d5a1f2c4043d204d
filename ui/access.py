"""Who may do what on the dashboard and through the API."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from atlas.access import Right, Role

Person = AbstractBaseUser | AnonymousUser
Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]


def role_of(person: Person) -> Role | None:
    """The highest role of a person; None if nobody is signed in or the account is closed."""
    if not (person.is_authenticated and person.is_active):
        return None
    if getattr(person, "is_superuser", False):
        return Role.ADMINISTRATOR
    held = _groups_of(person)
    return next((role for role in reversed(Role) if role in held), Role.VIEWER)


def _groups_of(person: Any) -> frozenset[str]:
    """The names of a person's groups, read once per request."""
    if not hasattr(person, "_atlas_groups"):
        person._atlas_groups = frozenset(person.groups.values_list("name", flat=True))
    return frozenset(person._atlas_groups)


def rights_of(person: Person) -> frozenset[Right]:
    """What a person may do."""
    role = role_of(person)
    return role.rights if role else frozenset()


def rights_of_token(owner: Person, scopes: Iterable[str]) -> frozenset[Right]:
    """What an API token may do: its scopes, as far as its owner still has these rights."""
    return rights_of(owner) & {Right(scope) for scope in scopes}


def refusal(right: Right) -> str:
    """What to say to those who lack a right."""
    return f"This needs the right to {right}, which your account does not have."


def requires(right: Right) -> Callable[[View[Arguments]], View[Arguments]]:
    """A view's decorator: only for those who have a right.

    `right` stays on the view, so that a test can go through all of them.

    Raises:
        PermissionDenied: by the view, if the person has not.
    """

    def decorated(view: View[Arguments]) -> View[Arguments]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
            if right not in rights_of(request.user):
                raise PermissionDenied(refusal(right))
            return view(request, *args, **kwargs)

        guarded.right = right  # type: ignore[attr-defined]
        return guarded

    return decorated


def rights(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `may.write`, `may.delete` and so on say what the person who looks at a page may do."""
    user = getattr(request, "user", None)
    held = rights_of(user) if user is not None else frozenset()
    return {"may": {right.value: right in held for right in Right}}


class RoleBackend(BaseBackend):
    """Gives administrators every permission that Django's admin asks about; it signs nobody in."""

    def has_perm(self, user_obj: Person, perm: str, obj: object = None) -> bool:  # noqa: ARG002  # Django's
        """Whether a person administers Atlas."""
        return Right.ADMINISTER in rights_of(user_obj)

    def has_module_perms(self, user_obj: Person, app_label: str) -> bool:  # noqa: ARG002  # Django's
        """The same, for all tables of an app."""
        return Right.ADMINISTER in rights_of(user_obj)
