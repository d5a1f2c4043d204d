"""A process that cannot begin says why in one line, before it serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker, Settings

from atlas.errors import SettingsError
from storage import starting
from tests.servers import free_port
from tests.upgrade import kept


@pytest.fixture
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@contextmanager
def told(words: str) -> Iterator[None]:
    with pytest.raises(SettingsError, match=words) as raised:
        yield
    assert "\n" not in str(raised.value)


@pytest.fixture
def ready(database: None, tmp_path: Path) -> Iterator[None]:
    """A database with all tables."""
    release = kept.RELEASES[-1]
    with kept.connected(kept.put_sqlite(release, tmp_path)):
        call_command("migrate", interactive=False, verbosity=0)
        yield


def test_all_is_well_once_the_tables_are_there(ready: None) -> None:
    starting.check()


def test_without_its_tables_it_asks_for_prepare(database: None, tmp_path: Path) -> None:
    with kept.connected(f"sqlite:///{tmp_path / 'empty.sqlite3'}"), told("migrations: run manage.py prepare"):
        starting.check()


def test_a_database_that_will_never_let_it_in_ends_it(database: None, postgres_url: str, tmp_path: Path) -> None:
    other = f"{postgres_url.rpartition('/')[0]}/nowhere"
    for url in (other, f"sqlite:///{tmp_path / 'no' / 'folder' / 'x.sqlite3'}"):
        with kept.connected(url), told("DATABASE_URL"):
            starting.check()


def test_a_database_that_is_away_is_waited_for(database: None, caplog: pytest.LogCaptureFixture) -> None:
    with kept.connected(f"postgresql://atlas@127.0.0.1:{free_port()}/atlas"):
        starting.check()
    assert "The database does not answer yet" in caplog.text


@pytest.mark.parametrize("name", starting.STORES)
def test_a_store_s_address_has_to_be_one(settings: Settings, name: str) -> None:
    setattr(settings, name, "http://minio:9000")
    with told(f"{name}: the object store 'http://minio:9000' is neither"):
        starting.check()
