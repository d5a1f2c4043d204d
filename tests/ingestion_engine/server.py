"""The ingestion engine as a process of its own, with a database and a store that nobody else has."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg2

from tests import migrated
from tests.ingestion_engine.engine import COMPONENTS_TOKEN
from tests.servers import free_port

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
START_SECONDS = 60.0
MAKE_TOKEN = """
from tests import migrated
from tests.ingestion_engine.engine import token_of_a
from atlas.access import Role
print(token_of_a(Role.ADMINISTRATOR))
"""


@contextmanager
def prepared(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of an engine with empty tables: SQLite in the folder, or a new database of DATABASE_URL's."""
    environment = {**os.environ, "ATLAS_DATA_DIR": str(folder), "ATLAS_INGESTION_TOKEN": COMPONENTS_TOKEN}
    with _database(os.environ.get("DATABASE_URL", ""), folder) as url:
        yield environment | {"DATABASE_URL": url}


def person_token(environment: Mapping[str, str]) -> str:
    """The API token of somebody who may do everything, made in the engine's database."""
    command = [sys.executable, str(MANAGE), "shell", "-v0", "-c", MAKE_TOKEN]
    made = subprocess.run(command, env=environment, check=True, cwd="/", capture_output=True, text=True)
    return made.stdout.strip()


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[str]:
    """Runs the engine while the block runs; yields its URL."""
    port = free_port()
    command = [sys.executable, str(MANAGE), "run_ingestion", "--port", str(port)]
    with subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], env=environment, cwd="/") as process:
        try:
            _wait_until_well(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def _database(url: str, folder: Path) -> Iterator[str]:
    if not url:
        migrated.file(folder)
        yield ""
        return
    name = f"ingestion_{uuid.uuid4().hex}"
    try:
        yield migrated.database(url, name)
    finally:
        _execute(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for something that the engine brings about."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _wait_until_well(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{url}/healthz").raise_for_status()
            return
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
