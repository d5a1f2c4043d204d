"""A backup of an Atlas at work, by processes that are killed: whatever is restored is whole."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg2
import pytest

ROOT = Path(__file__).parents[2]
PASSWORD = "not-to-be-told"

pytestmark = pytest.mark.system


def new_database(url: str) -> str:
    """A database of its own, of a role that has to sign in with a password."""
    name = f"backup_{uuid.uuid4().hex[:12]}"
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
        cursor.execute(f"CREATE DATABASE {name} OWNER {name}")
    connection.close()
    return f"{url.rpartition('/')[0].replace('//atlas@', f'//{name}:{PASSWORD}@')}/{name}"


@pytest.fixture(params=["on one machine", "on servers"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """An Atlas of files, or one of PostgreSQL and S3."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ATLAS_", "DATABASE_URL"))}
    kept["ATLAS_DATA_DIR"] = str(tmp_path / "data")
    if request.param == "on servers":
        kept["DATABASE_URL"] = new_database(request.getfixturevalue("postgres_url"))
        s3 = request.getfixturevalue("s3_url")
        for store in ("OBJECT", "INGESTION"):
            bucket = f"ordeal-{store.lower()}-{uuid.uuid4().hex[:8]}"
            kept[f"ATLAS_{store}_STORE"] = s3.replace("/atlas?", f"/{bucket}?")
    return kept


def test_nothing_is_lost_however_often_it_is_killed(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.backups.ordeal", str(tmp_path / "backups")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed at work: 3 of 3 backups, 3 of 3 restores" in done.stdout, done.stdout
    told = done.stdout + done.stderr
    assert PASSWORD not in told
    assert "atlas-secret" not in told
