"""Whole installations over PostgreSQL and S3."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, new_database


@pytest.fixture
def install(tmp_path: Path, postgres_url: str, s3_url: str) -> Iterator[Callable[..., Installation]]:
    """Makes an installation with a database and, unless it is given another store, a bucket of its own."""
    made: list[Installation] = []

    def make(**settings: object) -> Installation:
        name = f"e2e-{uuid.uuid4().hex[:12]}"
        database_url = new_database(postgres_url, name.replace("-", "_"))
        places = {"database_url": database_url, "object_store": s3_url.replace("/atlas?", f"/{name}?")}
        made.append(Installation(tmp_path, **(places | settings)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for installation in made:
        installation.close()
