"""Objects of the store that nothing refers to: the engine's report of them, and what people clean up."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from atlas.access import Verb, Via
from storage.models import Orphan, StoreReport
from storage.records._people import record_actions
from storage.records._removals import AT_ONCE, ask_for_removal, in_parts

_THE_REPORT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrphan:
    """An object that nothing refers to; `why` says what it was, as far as its place tells."""

    key: str
    etag: str
    size_bytes: int
    modified: datetime
    why: str


@transaction.atomic
def report_orphans(found: Iterable[FoundOrphan], *, objects_seen: int, bytes_seen: int, now: datetime) -> None:
    """Keep what the engine found in the place of its last report; what was in that one keeps the time of its finding.

    Args:
        found: the orphans.
        objects_seen: how many objects were looked at.
        bytes_seen: their size.
        now: the time.
    """
    StoreReport.objects.update_or_create(
        pk=_THE_REPORT, defaults={"made": now, "objects_seen": objects_seen, "bytes_seen": bytes_seen}
    )
    orphans = {each.key: each for each in found}
    gone = set(Orphan.objects.values_list("key", flat=True)) - orphans.keys()
    for keys in in_parts(sorted(gone)):
        Orphan.objects.filter(key__in=keys).delete()
    Orphan.objects.bulk_create(
        (_row(orphans[key], now) for key in sorted(orphans)),
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["etag", "size_bytes", "modified", "why"],
    )


def _row(found: FoundOrphan, now: datetime) -> Orphan:
    return Orphan(
        key=found.key,
        etag=found.etag,
        size_bytes=found.size_bytes,
        modified=found.modified,
        found=now,
        why=found.why,
    )


@transaction.atomic
def clean_up_orphans(by: str, via: Via, now: datetime, keys: Collection[str] | None = None) -> int:
    """Have objects deleted that nothing refers to: those of the engine's last report, or only some of them.

    They leave the report at once.

    Returns:
        How many objects that are.
    """
    chosen = Orphan.objects.all() if keys is None else Orphan.objects.filter(key__in=keys)
    found = dict(chosen.select_for_update().values_list("key", "etag"))
    ask_for_removal(found, by, now)
    for some in in_parts(found):
        Orphan.objects.filter(key__in=some).delete()
    record_actions(by, Verb.CLEANED_UP, "object", list(found), via=via, now=now)
    return len(found)
