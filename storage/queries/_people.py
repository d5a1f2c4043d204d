"""People's tokens, what they did, and how they left lists."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from storage import tokens
from storage.models import Action, ApiToken, Preference
from storage.records._people import note_use

_USE_IS_NOTED_EVERY = timedelta(minutes=1)
"""So that busy scripts do not write with every request."""


def token_of(secret: str, now: datetime) -> ApiToken | None:
    """The token with this secret and its owner, and its use is noted; None if it is unknown, expired or of a closed
    account."""
    good = Q(expires=None) | Q(expires__gt=now)
    known = ApiToken.objects.select_related("owner").filter(good, digest=tokens.digest_of(secret))
    token = known.filter(owner__is_active=True).first()
    if token is not None and (token.used is None or token.used <= now - _USE_IS_NOTED_EVERY):
        note_use(token.pk, now=now)
    return token


def tokens_of(owner: int) -> list[ApiToken]:
    """A person's tokens, the newest first."""
    return list(ApiToken.objects.filter(owner_id=owner))


def actions() -> QuerySet[Action]:
    """What people did, the latest first."""
    return Action.objects.all()


def actors() -> list[str]:
    """The names of all who did something."""
    return list(Action.objects.order_by("person").values_list("person", flat=True).distinct())


def kinds_of_actions() -> list[str]:
    """The kinds of things that people did something to."""
    return list(Action.objects.order_by("kind").values_list("kind", flat=True).distinct())


def kept_view(owner: int, page: str) -> str:
    """The query string with which a person left a list; empty if none is kept."""
    return Preference.objects.filter(owner_id=owner, page=page).values_list("query", flat=True).first() or ""
