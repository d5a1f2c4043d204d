"""Who asks: whoever bears a token, of a person or of Atlas' own components, or who is signed in on the pages."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie
from ninja.utils import check_csrf

from atlas.access import Right
from ingestion_engine.errors import ForbiddenError, NotSignedInError
from storage import queries
from ui.access import rights_of, rights_of_token

HOW = "Send a token in the header Authorization: Bearer …, or sign in on the pages."


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a caller needs: a right, and to be a person where `components` may not do it."""

    right: Right
    components: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. `person` is the name that they sign in with; empty for Atlas' own components."""

    person: str = ""


def caller_of(request: HttpRequest) -> Caller:
    """Who asks."""
    caller: Caller = request.auth  # type: ignore[attr-defined]  # set by ninja once one of the schemes has a caller
    return caller


class Bearer(HttpBearer):
    """An API token that a person made on the dashboard, or the token of Atlas' components."""

    def __init__(self, need: Need) -> None:
        super().__init__()
        self._need = need

    def authenticate(self, request: HttpRequest, token: str) -> Caller:  # noqa: ARG002  # the signature is ninja's
        """Who bears the token.

        Raises:
            NotSignedInError: the token is no good.
            ForbiddenError: it is not enough for this.
        """
        if _is_of_components(token):
            return self._component()
        found = queries.token_of(token, timezone.now())
        if found is None:
            raise NotSignedInError(f"The token is unknown, revoked or too old. {HOW}")
        if self._need.right not in rights_of_token(found.owner, found.scopes):
            raise ForbiddenError(f"The token lacks the right to {self._need.right}; make one that has it.")
        return Caller(person=found.owner.get_username())

    def _component(self) -> Caller:
        if not self._need.components:
            raise ForbiddenError(
                "The token of Atlas' components adds data, and changes none that are there: use a token of your own."
            )
        return Caller()


class Session(APIKeyCookie):
    """The session of a person who is signed in on the pages; what changes something needs X-CSRFToken too."""

    param_name = "sessionid"

    def __init__(self, need: Need) -> None:
        super().__init__()
        self._need = need

    def __call__(self, request: HttpRequest) -> Caller:
        """Who is signed in; Django has read the cookie already."""
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller:  # noqa: ARG002  # the signature is ninja's
        """Who is signed in.

        Raises:
            NotSignedInError: nobody is.
            ForbiddenError: the person lacks the right, or the page's token is missing.
        """
        if not request.user.is_authenticated:
            raise NotSignedInError(f"Nobody is signed in. {HOW}")
        if check_csrf(request) is not None:
            raise ForbiddenError("The header X-CSRFToken is missing or wrong.")
        if self._need.right not in rights_of(request.user):
            raise ForbiddenError(f"This needs the right to {self._need.right}; ask an administrator for it.")
        return Caller(person=request.user.get_username())


def _is_of_components(token: str) -> bool:
    """Whether it is the components' token; how long the answer takes tells nothing of it."""
    ours: str = settings.ATLAS_INGESTION_TOKEN  # type: ignore[misc]  # a setting of this engine alone
    return bool(ours) and secrets.compare_digest(token.encode(), ours.encode())


def _ways(right: Right, *, components: bool) -> list[Any]:
    need = Need(right=right, components=components)
    return [Bearer(need), Session(need)]


READS = _ways(Right.READ, components=True)
"""Who may look at data, and fetch them."""
ADDS = _ways(Right.WRITE, components=True)
"""Who may add recordings and tags."""
CHANGES = _ways(Right.WRITE, components=False)
"""Who may change what is known of events: people, whose names are kept with each change."""
