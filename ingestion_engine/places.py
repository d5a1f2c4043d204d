"""The object store that the settings name."""

from functools import cache

from django.conf import settings

from storage.objects import ObjectStore, open_store


def object_store() -> ObjectStore:
    """The store that the settings name."""
    return _store_at(settings.ATLAS_INGESTION_STORE)  # type: ignore[misc]  # a setting of this process alone


@cache
def _store_at(url: str) -> ObjectStore:
    return open_store(url)
