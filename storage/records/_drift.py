"""How far dataset versions have moved."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from atlas.drift import TableDrift
from storage.models import VersionDrift


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredDrift:
    """How far a version has moved, as far as that is known.

    Attributes:
        from_first, from_previous: from the first version of its tag and from the one before; None of the first one,
            and where the problem says why.
        problem: what kept it from being measured, as sentences.
        again: when to try again; None if that would not help.
    """

    from_first: TableDrift | None = None
    from_previous: TableDrift | None = None
    problem: str = ""
    again: datetime | None = None


@transaction.atomic
def record_version_drift(version: int, measured: MeasuredDrift, *, now: datetime) -> bool:
    """Keep the drift of a version; whether it is kept: what another engine has measured stands."""
    fields = _fields(measured) | {"made": now}
    _, is_new = VersionDrift.objects.only("pk").get_or_create(version_id=version, defaults=fields)
    return is_new or VersionDrift.objects.filter(version=version, again__isnull=False).update(**fields) == 1


def _fields(measured: MeasuredDrift) -> dict[str, object]:
    since = measured.from_previous
    return {
        "from_first": _document(measured.from_first),
        "from_previous": _document(since),
        "share_moved": since.share_moved if since else None,
        "farthest": since.farthest if since else None,
        "problem": measured.problem,
        "again": measured.again,
    }


def _document(drift: TableDrift | None) -> object:
    return None if drift is None else drift.model_dump(mode="json")
