"""The installed collector, and cars that run it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector.car import Car, install
from tests.servers import MissingComponentError


def missing(error: MissingComponentError) -> None:
    """Skips where a program is missing, but fails where CI=true: there everything has to run."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What starts the collector, built and installed once for all tests."""
    try:
        return install(tmp_path_factory.mktemp("installed"))
    except MissingComponentError as error:
        missing(error)
        raise


@pytest.fixture
def cars(collector: Path, tmp_path: Path) -> Iterator[Callable[..., Car]]:
    """Makes cars, which are not started yet; those that run are stopped at the end."""
    made: list[Car] = []

    def make(**settings: object) -> Car:
        made.append(Car(collector, tmp_path / f"car{len(made)}", **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for car in made:
        car.stop()
