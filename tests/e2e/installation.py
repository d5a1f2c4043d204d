"""A whole Atlas for one test: its own folder, database and objects, and its real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import dj_database_url
import httpx
import psycopg2

from atlas.ingestion import IngestionClient
from storage import tokens
from storage.objects import ObjectStore, open_store
from tests import migrated
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120.0
ADMINISTRATOR = """
    WITH person AS (
        INSERT INTO auth_user (
            username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined
        ) VALUES ('installer', '!', true, true, true, '', '', '', now()) RETURNING id
    )
    INSERT INTO storage_apitoken (owner_id, name, start, digest, scopes, created)
    SELECT id, 'installer', 'atlas_', %s, '["read", "write"]', now() FROM person
"""
"""Makes somebody with a token, of which the digest is given."""


class Installation:
    """The processes of an Atlas and what they keep. Whatever still runs when it is closed is ended.

    The database gets its tables, unless it was made with them.
    """

    def __init__(self, folder: Path, *, database_url: str, object_store: str, **settings: object) -> None:
        self.folder = folder
        self.ingestion_port = free_port()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")} | {
            "ATLAS_DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "ATLAS_OBJECT_STORE": object_store,
            "ATLAS_INGESTION_URL": f"http://127.0.0.1:{self.ingestion_port}",
            "ATLAS_POLL_SECONDS": "0.5",
            **{f"ATLAS_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._running: list[subprocess.Popen[bytes]] = []
        if not migrated.is_one(database_url):
            self.manage("migrate", "--verbosity", "0")

    @cached_property
    def objects(self) -> ObjectStore:
        """The object store that models arrive in."""
        return open_store(self.environment["ATLAS_OBJECT_STORE"])

    @cached_property
    def ingestion(self) -> IngestionClient:
        """A client of the ingestion engine, signed in as an administrator."""
        token = tokens.new_secret()
        self.execute(ADMINISTRATOR, tokens.digest_of(token))
        return IngestionClient(self.environment["ATLAS_INGESTION_URL"], token=token, attempts=1)

    def manage(self, *arguments: str) -> None:
        """Run a management command to its end."""
        subprocess.run(self._command(*arguments), cwd=ROOT, env=self.environment, check=True)

    def start(self, *arguments: str, **settings: object) -> subprocess.Popen[bytes]:
        """Start a management command that serves, with some settings changed; its output goes to a file."""
        changed = {f"ATLAS_{name.upper()}": str(value) for name, value in settings.items()}
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self._command(*arguments)],  # none outlives a test that is killed
                cwd=ROOT,
                env=self.environment | changed,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def start_ingestion(self) -> subprocess.Popen[bytes]:
        """Start the ingestion engine and wait until it answers."""
        process = self.start("run_ingestion", "--port", str(self.ingestion_port))
        self.wait_for(lambda: answers(f"{self.environment['ATLAS_INGESTION_URL']}/healthz"), "the ingestion engine")
        return process

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in the database, read without Django."""
        config = dj_database_url.parse(self.environment["DATABASE_URL"])
        with (
            psycopg2.connect(
                host=config["HOST"], port=config["PORT"], user=config["USER"], dbname=config["NAME"]
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        connection.close()
        return found

    def execute(self, statement: str, *parameters: str) -> None:
        """Change the database without Django."""
        connection = psycopg2.connect(self.environment["DATABASE_URL"])
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
        connection.close()

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until a condition holds; fail with the logs if it never does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.logs()}"
            time.sleep(0.1)

    def logs(self) -> str:
        """What the processes printed."""
        return "\n".join(f"{log.name}: {log.read_text()[-5_000:]}" for log in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        """End all processes."""
        if "ingestion" in self.__dict__:
            self.ingestion.close()
        for process in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]


def answers(url: str) -> bool:
    """Whether a server answers there with a success."""
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False
