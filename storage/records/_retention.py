"""Removing what is old, some rows at a time, so that nobody waits for it. Objects that no row refers to any more are
removed by the engine's sweep.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from atlas.access import Verb, Via
from atlas.states import Level
from storage.models import LogEntry
from storage.records._people import record_actions
from storage.records._removals import AT_ONCE
from storage.retention import COMPONENT, Policy


def remove_old(policies: Iterable[Policy], now: datetime) -> dict[str, int]:
    """Remove what policies say; how much of each kind it was, without those of which it was nothing."""
    removed = {policy.what: _remove(policy, now) for policy in policies}
    return {what: count for what, count in removed.items() if count}


def _remove(policy: Policy, now: datetime) -> int:
    removable, count = policy.removable(now), 0
    while some := list(removable.values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            policy.remove(removable.filter(pk__in=some))
        count += len(some)
    return count


def log_removed(removed: Mapping[str, int], now: datetime) -> None:
    """Keep a line on the log page that says what was removed, if it was anything."""
    if removed:
        LogEntry.objects.create(time=now, level=Level.INFO, component=COMPONENT, message=_told(removed))


def record_retention(by: str, removed: Mapping[str, int], now: datetime) -> None:
    """Keep in the audit log, as one action, that a person had old things removed, if there were any."""
    if removed:
        record_actions(by, Verb.CLEANED_UP, "retention", [_told(removed)], via=Via.ADMIN, now=now)


def _told(removed: Mapping[str, int]) -> str:
    return f"Old, and removed: {', '.join(f'{count:,} {what}' for what, count in removed.items())}."
