"""The engine's API within the test's process."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pytest_django import Settings

from ingestion_engine import settings as ingestion_settings
from tests.ingestion_engine.engine import COMPONENTS_TOKEN, Api


@pytest.fixture(autouse=True)
def _own_settings(settings: Settings) -> None:
    """The engine's own settings, whatever project the tests run in."""
    settings.ATLAS_HARMLESS_LABELS = ingestion_settings.ATLAS_HARMLESS_LABELS
    settings.ATLAS_INGESTION_TOKEN = COMPONENTS_TOKEN


@pytest.fixture(autouse=True)
def _turns(settings: Settings, tmp_path: Path) -> None:
    """Nobody else's turns."""
    settings.ATLAS_INGESTION_TURNS = str(tmp_path / "turns")


@pytest.fixture
def api(db: None, settings: Settings, tmp_path: Path) -> Api:
    """The engine with empty tables and an empty store."""
    settings.ROOT_URLCONF = ingestion_settings.ROOT_URLCONF
    settings.MIDDLEWARE = ingestion_settings.MIDDLEWARE
    settings.STATIC_ROOT = None
    settings.ATLAS_INGESTION_STORE = str(tmp_path / "ingestion")
    return Api()


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., bytes]:
    """Makes the bytes of a Parquet file with these columns."""

    def write(**columns: object) -> bytes:
        path = tmp_path / "sample.parquet"
        pq.write_table(pa.table(columns), path)
        return path.read_bytes()

    return write
