"""The real engine, installed and started to be measured: all that this folder knows of its inside is here.

It is `manage.py run_engine` over a PostgreSQL of its own and a folder of objects. Times are those of its own tables.
"""

import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.stand_in import described, serving
from benchmarks.subjects import TARGET, Prepared
from tests.e2e.installation import Installation
from tests.migrated import new_database

PATIENCE_SECONDS = 1_800.0
LOOK_SECONDS = 0.1
QUIET_SECONDS = 3_600
"""How often the engine looks for models: once, when it starts, so that it does nothing but what is measured."""


class EngineError(Exception):
    """The engine did not do what it is measured at; the message is what it said."""


class Engine:
    """A running engine that benchmarks all it was given once, and does it again when asked."""

    def __init__(self, installation: Installation, models: int) -> None:
        self._installation = installation
        self._models = models
        self._benchmarks: list[int] = []
        self._connection = psycopg2.connect(installation.environment["DATABASE_URL"])
        self._connection.autocommit = True
        self._process = installation.start("run_engine")

    @property
    def pid(self) -> int:
        """Of the engine's own process."""
        return self._process.pid

    def first(self) -> None:
        """Wait until all models have been benchmarked once."""
        self._wait_for("SELECT count(*) FROM storage_benchmark WHERE state = 'done'", self._models)
        self._benchmarks = [pk for (pk,) in self._rows("SELECT id FROM storage_benchmark ORDER BY id")]

    def run(self, models: int) -> float:
        """Benchmark so many models once more: seconds from when the first is claimed until the last is stored."""
        chosen = self._benchmarks[:models]
        self._rows(
            """
            UPDATE storage_benchmark SET state = 'queued', queued = now(), not_before = now(), started = NULL,
                finished = NULL
            WHERE id = ANY(%s) RETURNING id
            """,
            chosen,
        )
        self._wait_for("SELECT count(*) FROM storage_benchmark WHERE state = 'done' AND id = ANY(%s)", models, chosen)
        span = "SELECT extract(epoch FROM max(finished) - min(started)) FROM storage_benchmark WHERE id = ANY(%s)"
        return float(self._rows(span, chosen)[0][0])

    def metrics(self) -> dict[str, float]:
        """The metrics of the first model, by name, as they are stored."""
        query = "SELECT name, value FROM storage_metric WHERE benchmark_id = %s"
        return dict(self._rows(query, self._benchmarks[0]))

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()

    def _wait_for(self, count: str, wanted: int, *values: object) -> None:
        """Wait until a query counts so many benchmarks.

        Raises:
            EngineError: one has failed, the engine has ended, or it takes half an hour.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._rows(count, *values) != [(wanted,)]:
            failed = self._rows("SELECT reason FROM storage_benchmark WHERE state NOT IN ('queued', 'running', 'done')")
            if failed or self._process.poll() is not None or time.monotonic() > deadline:
                reason = failed[0][0] if failed else "the engine has ended, or takes too long"
                raise EngineError(f"{reason}\n{self._installation.logs()}")
            time.sleep(LOOK_SECONDS)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@contextmanager
def engine(prepared: Prepared, *, server: str, base: Path, workers: int) -> Iterator[Engine]:
    """An engine of its own that benchmarks all models of a subject.

    Args:
        prepared: the subject.
        server: the URL of a PostgreSQL server, which gets one more database.
        base: a folder for what the engine keeps.
        workers: how many benchmarks run at a time.
    """
    name = f"{prepared.name}_{uuid.uuid4().hex[:12]}"
    folder = base / name
    models = folder / "objects" / "models"
    models.mkdir(parents=True)
    for bundle in prepared.bundles:
        shutil.copyfile(bundle, models / bundle.name)
    installation = Installation(
        folder,
        database_url=new_database(server, name),
        object_store=str(folder / "objects"),
        workers=workers,
        poll_seconds=QUIET_SECONDS,
        explained_rows=0,
    )
    version = described(prepared.name, prepared.data, TARGET)
    with (
        closing(installation),
        serving(version, prepared.data, installation.ingestion_port),
        closing(Engine(installation, len(prepared.bundles))) as running,
    ):
        yield running
