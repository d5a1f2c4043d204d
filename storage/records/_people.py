"""What people did: the audit log."""

from collections.abc import Iterable
from datetime import datetime

from atlas.access import Verb, Via
from storage.models import Action


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


def record_actions(person: str, verb: Verb, kind: str, things: Iterable[str], *, via: Via, now: datetime) -> None:
    """Keep what a person did to many things of one kind, as `record_action` keeps it of one."""
    longest = {field.name: field.max_length for field in Action._meta.fields}
    who, what = person[: longest["person"]], kind[: longest["kind"]]
    rows = (
        Action(time=now, person=who, via=via, verb=verb, kind=what, thing=thing[: longest["thing"]]) for thing in things
    )
    Action.objects.bulk_create(rows, batch_size=500)
