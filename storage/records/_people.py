"""What people did, the tokens of their scripts, and how they left lists."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from atlas.access import Right, Verb, Via
from atlas.errors import TokenNameTakenError
from storage import tokens
from storage.models import Action, ApiToken, Preference


def record_action(
    person: str, verb: Verb, kind: str, thing: str, *, via: Via = Via.PAGE, detail: str = "", now: datetime
) -> None:
    """Keep what a person did.

    Args:
        person: the name that they sign in with.
        verb: what they did.
        kind: of the thing that they did it to, such as "model".
        thing: its name.
        via: by what way.
        detail: whatever else helps to understand it later, such as the old and the new value.
        now: the time.
    """
    longest = {field.name: field.max_length for field in Action._meta.fields}
    Action.objects.create(
        time=now,
        person=person[: longest["person"]],
        via=via,
        verb=verb,
        kind=kind[: longest["kind"]],
        thing=thing[: longest["thing"]],
        detail=detail,
    )


def create_token(owner: int, name: str, scopes: Iterable[Right], *, expires: datetime | None, now: datetime) -> str:
    """Make a token and return its secret, which nobody can see again.

    Args:
        owner: the key of the person whose scripts use it.
        name: what its owner calls it.
        scopes: what it is good for; it never gives more than its owner may do at the time of use.
        expires: from when on it is no good; never if None.
        now: the time.

    Raises:
        TokenNameTakenError: the owner has a token of this name.
    """
    secret = tokens.new_secret()
    chosen = frozenset(scopes)
    try:
        with transaction.atomic():
            ApiToken.objects.create(
                owner_id=owner,
                name=name,
                start=secret[: tokens.SHOWN_CHARACTERS],
                digest=tokens.digest_of(secret),
                scopes=[right.value for right in Right if right in chosen],
                created=now,
                expires=expires,
            )
    except IntegrityError as error:
        raise TokenNameTakenError(f"You have a token named {name} already; choose another name.") from error
    return secret


def revoke_token(owner: int, pk: int) -> str | None:
    """End a person's token for good. Its name, or None if the person has no such token."""
    token = ApiToken.objects.filter(owner_id=owner, pk=pk).first()
    if token is None:
        return None
    token.delete()
    return token.name


def note_use(token: int, *, now: datetime) -> None:
    """Keep when a token was used last."""
    ApiToken.objects.filter(pk=token).update(used=now)


def keep_view(owner: int, page: str, query: str) -> None:
    """Keep how a person left a list: the query string of its address. An empty one forgets it."""
    if len(query) > (Preference._meta.get_field("query").max_length or 0):
        return  # what is too long to keep is as well in the address alone
    if query:
        Preference.objects.update_or_create(owner_id=owner, page=page, defaults={"query": query})
    else:
        Preference.objects.filter(owner_id=owner, page=page).delete()


def record_actions(person: str, verb: Verb, kind: str, things: Iterable[str], *, via: Via, now: datetime) -> None:
    """Keep what a person did to many things of one kind, as `record_action` keeps it of one."""
    longest = {field.name: field.max_length for field in Action._meta.fields}
    who, what = person[: longest["person"]], kind[: longest["kind"]]
    rows = (
        Action(time=now, person=who, via=via, verb=verb, kind=what, thing=thing[: longest["thing"]]) for thing in things
    )
    Action.objects.bulk_create(rows, batch_size=500)
