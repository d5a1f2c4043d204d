"""Fixtures that all tests share: real servers, and a place of their own for objects."""

import gc
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser
from pytest_django import Settings

from tests import directory, hurry, servers
from tests.collector import car

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}
SOME_ARE_SYSTEM = re.compile(rb"\bmark\.system\b")
ALL_ARE_SYSTEM = re.compile(rb"^pytestmark = (?:\[[^\]]*|.*)\bmark\.system\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Passes over files without a test that is asked for: reading all of them takes longer than many a test does.

    A file that is named is read in any case.
    """
    if not collection_path.match("test_*.py") or collection_path in map(_file_of, config.args):
        return None
    content, asked = collection_path.read_bytes(), config.getoption("markexpr")
    if asked == "system":
        return not SOME_ARE_SYSTEM.search(content) or None
    return bool("not system" in asked and ALL_ARE_SYSTEM.search(content)) or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what uses the database, so that `-m database` runs it again on PostgreSQL, unless it is marked to be the
    same on any, or looks at pages by a browser: what they say is tested without one too."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        uses = fixtures & DATABASE_FIXTURES or item.get_closest_marker("django_db")
        if uses and "browser" not in fixtures and not item.get_closest_marker("any_database"):
            item.add_marker(pytest.mark.database)


def pytest_collection_finish() -> None:
    """Spares the collector of garbage from looking at all tests time and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before anything is set up for it."""
    hurry.leave_out_if_late(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end of everything."""
    hurry.tell(terminalreporter)


@pytest.fixture(autouse=True)
def private_object_store(settings: Settings, tmp_path: Path) -> None:
    """No test writes into the objects of whoever runs it."""
    settings.ATLAS_OBJECT_STORE = str(tmp_path / "objects")


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Passwords of tests are hashed at once; what keeps others from guessing them takes a while, as it should."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def static_files_on_demand(settings: Settings) -> None:
    """Static files are looked for when they are asked for: each test's client would else begin by reading them all."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The object store URL of an S3 server that runs MinIO's server code."""
    yield from _served(servers.juicefs_gateway)


@pytest.fixture(scope="session")
def rclone_url() -> Iterator[str]:
    """The object store URL of a second kind of S3 server."""
    yield from _served(servers.rclone_s3)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The DATABASE_URL of a PostgreSQL with an empty database."""
    yield from _served(servers.postgresql)


@pytest.fixture
def mortal_postgres() -> Iterator[servers.Server]:
    """A PostgreSQL of the test's own, to be killed and started again."""
    yield from _served(servers.mortal_postgresql)


@pytest.fixture
def mortal_s3() -> Iterator[servers.Server]:
    """An S3 server of the test's own, to be killed and started again."""
    yield from _served(servers.mortal_juicefs_gateway)


@pytest.fixture(scope="session")
def slapd() -> Iterator[directory.Directory]:
    """An LDAP directory; whoever changes its entries puts them back."""
    yield from _served(directory.slapd)


@pytest.fixture
def mortal_slapd() -> Iterator[directory.Directory]:
    """An LDAP directory of the test's own, to be killed and started again."""
    yield from _served(directory.slapd)


@pytest.fixture(scope="session")
def collector() -> Iterator[Path]:
    """What starts the car's collector, which is built and installed once."""
    yield from _served(car.installed)


@pytest.fixture
def cars(collector: Path, tmp_path: Path) -> Iterator[Callable[..., car.Car]]:
    """Makes cars, which are not started yet; those that run are stopped at the end."""
    made: list[car.Car] = []

    def make(**settings: Any) -> car.Car:
        made.append(car.Car(collector, tmp_path / f"car{len(made)}", **settings))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    yield from _served(servers.chromium)


def _file_of(argument: str) -> Path:
    return Path(argument.partition("::")[0]).absolute()


Served = TypeVar("Served")


def _served(server: Callable[[], AbstractContextManager[Served]]) -> Iterator[Served]:
    """Skips where a program is missing, but fails where CI=true: there everything has to run."""
    try:
        with server() as served:
            yield served
    except servers.MissingComponentError as missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(missing))
