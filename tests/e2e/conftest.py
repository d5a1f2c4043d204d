"""Whole installations over PostgreSQL and S3."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import migrated
from tests.e2e.installation import Installation


@pytest.fixture
def install(tmp_path: Path, postgres_url: str, s3_url: str) -> Iterator[Callable[..., Installation]]:
    """Makes an installation with a database and, unless it is given another store, a bucket of its own."""
    made: list[Installation] = []

    def make(**settings: object) -> Installation:
        name = f"e2e-{uuid.uuid4().hex[:12]}"
        places = {
            "database_url": migrated.database(postgres_url, name.replace("-", "_")),
            "object_store": s3_url.replace("/atlas?", f"/{name}?"),
        }
        made.append(Installation(tmp_path, **(places | settings)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for installation in made:
        installation.close()
