"""Stores to back up, and a folder to back up into."""

import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from backups.documents import StoreName
from backups.folders import Backups
from backups.making import Stores
from ingestion_engine import settings as ingestion_settings
from storage.objects import open_store
from tests.samples import NOON


class Clock:
    """A minute passes between one look and the next."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture(autouse=True)
def _ingestion(settings: Settings, tmp_path: Path) -> None:
    """What only the ingestion engine's own settings have."""
    settings.ATLAS_HARMLESS_LABELS = ingestion_settings.ATLAS_HARMLESS_LABELS
    settings.ATLAS_INGESTION_TURNS = str(tmp_path / "turns")


@pytest.fixture(params=["folder", "s3"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """The stores of one Atlas: folders, or buckets of an S3 server."""
    if request.param == "folder":
        return {name: open_store(str(tmp_path / name)) for name in StoreName}
    url: str = request.getfixturevalue("s3_url")
    unique = uuid.uuid4().hex[:12]
    return {name: open_store(url.replace("/atlas?", f"/{name}-{unique}?")) for name in StoreName}


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    """A folder for backups, which is not there yet."""
    return Backups(tmp_path / "backups")
