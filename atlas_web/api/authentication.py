"""Who asks: the bearer of an API token, or a person who is signed in on the dashboard."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie
from ninja.utils import check_csrf

from atlas.access import Right
from atlas_web.api.problems import ForbiddenError, NotSignedInError
from storage import queries
from ui.access import rights_of, rights_of_token

HOW = "Send a token in the header Authorization: Bearer atlas_…, or sign in on the dashboard."


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what they may do: as far as their token goes, if they came with one."""

    person: Any
    rights: frozenset[Right]
    token: str = ""
    expires: datetime | None = None

    @property
    def name(self) -> str:
        """The name that they sign in with."""
        return str(self.person.get_username())


def caller_of(request: HttpRequest) -> Caller:
    """Who asks."""
    caller: Caller = request.auth  # type: ignore[attr-defined]  # set by ninja once one of the schemes has a caller
    return caller


class Bearer(HttpBearer):
    """The token that the header Authorization holds, made on the dashboard for one's own scripts."""

    def __init__(self, right: Right) -> None:
        super().__init__()
        self.right = right

    def __call__(self, request: HttpRequest) -> Caller | None:
        """Who bears the token; None if there is none, so that a session may do.

        Raises:
            NotSignedInError: the token is no good.
            ForbiddenError: it lacks the right.
        """
        given = request.headers.get(self.header)
        return None if given is None else self.authenticate(request, given)

    def authenticate(self, request: HttpRequest, token: str) -> Caller:  # noqa: ARG002  # the signature is ninja's
        """Who bears a token, as the header's whole value gives it."""
        scheme, _, secret = token.partition(" ")
        found = queries.token_of(secret.strip(), timezone.now()) if scheme.lower() == self.openapi_scheme else None
        if found is None:
            raise NotSignedInError(f"The token is unknown, revoked or too old. {HOW}")
        rights = rights_of_token(found.owner, found.scopes)
        caller = Caller(person=found.owner, rights=rights, token=found.name, expires=found.expires)
        return _allowed(caller, self.right)


class Session(APIKeyCookie):
    """The session of a person who is signed in on the dashboard; what changes something needs X-CSRFToken too."""

    param_name = "sessionid"

    def __init__(self, right: Right) -> None:
        super().__init__()
        self.right = right

    def __call__(self, request: HttpRequest) -> Caller:
        """Who is signed in.

        Raises:
            NotSignedInError: nobody is.
            ForbiddenError: the person lacks the right, or the page's token is missing.
        """
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller:  # noqa: ARG002  # the signature is ninja's
        """Who is signed in; Django has read the cookie already."""
        if not request.user.is_authenticated:
            raise NotSignedInError(f"Nobody is signed in. {HOW}")
        if check_csrf(request) is not None:
            raise ForbiddenError("The header X-CSRFToken is missing or wrong.")
        return _allowed(Caller(person=request.user, rights=rights_of(request.user)), self.right)


def _allowed(caller: Caller, right: Right) -> Caller:
    if right not in caller.rights:
        held = "The token" if caller.token else "This"
        lacks = "lacks" if caller.token else "needs"
        raise ForbiddenError(f"{held} {lacks} the right to {right}; ask an administrator for it.")
    return caller
