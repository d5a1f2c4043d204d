"""What `atlas retention` does once Django is ready: the policies of both engines, and those of people's data."""

from datetime import datetime

from django.conf import settings

from atlas.terminal import console, table
from ingestion_engine import retention as of_versions
from ingestion_engine.places import object_store
from storage import records, retention
from storage.objects import open_store
from storage.retention import Policy, Removable, RetentionSettings
from ui import formats


def show(now: datetime) -> None:
    """Print what would go, how much that is, and how old the oldest is that stays; nothing is removed.

    Raises:
        AtlasError: a setting is wrong, or a store does not answer.
    """
    wanted = RetentionSettings.from_environment()
    objects = open_store(settings.ATLAS_OBJECT_STORE)
    found = [*retention.look(_policies(wanted), objects, now), of_versions.look(object_store(), wanted, now)]
    console().print(table("What", "Kept for", "Would go", "Size", "Oldest that stays", rows=map(_row, found)))


def carry_out(now: datetime, *, by: str) -> None:
    """Remove what is old, and print how much it was.

    Raises:
        AtlasError: a setting is wrong, or a store does not answer.
    """
    wanted = RetentionSettings.from_environment()
    removed = records.remove_old(_policies(wanted), now)
    removed |= {what: count for what, count in _of_ingestion(wanted, now).items() if count}
    records.log_removed(removed, now)
    records.record_retention(by, removed, now)
    console().print("\n".join(f"Removed: {count:,} {what}." for what, count in removed.items()) or "Nothing is old.")


def _of_ingestion(wanted: RetentionSettings, now: datetime) -> dict[str, int]:
    return {
        of_versions.WHAT: of_versions.remove_old(object_store(), wanted, now),
        "sessions that had expired": retention.remove_expired_sessions(now),
    }


def _policies(wanted: RetentionSettings) -> list[Policy]:
    return [*retention.of_the_engine(wanted), *retention.of_people(wanted)]


def _row(found: Removable) -> tuple[str, ...]:
    kept = f"{found.days:,} days" if found.days else "ever"
    return found.what, kept, f"{found.count:,}", formats.size(found.size_bytes), formats.when(found.oldest_kept)
