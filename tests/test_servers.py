"""What the tests' own servers promise."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import psycopg2
import pytest

from atlas.errors import ObjectStoreError
from storage.objects import open_store
from tests import servers


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that servers of another user may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def run_with_postgres(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.with_postgres", *command], capture_output=True, text=True, check=False
    )


def test_a_command_gets_a_postgresql_of_its_own(postgres_url: str) -> None:
    query = "import os, psycopg2; c = psycopg2.connect(os.environ['DATABASE_URL']).cursor(); c.execute('select 6 * 7')"
    done = run_with_postgres(sys.executable, "-c", f"{query}; print(c.fetchone()[0])")
    assert (done.stdout, done.returncode) == ("42\n", 0)


def test_the_status_of_a_command_with_postgresql_is_passed_on(postgres_url: str) -> None:
    assert run_with_postgres("sh", "-c", "exit 3").returncode == 3


@pytest.mark.parametrize("server", ["juicefs_gateway", "rclone_s3", "postgresql"])
def test_a_server_ends_with_the_process_that_started_it(
    server: str, s3_url: str, rclone_url: str, postgres_url: str, open_folder: Path
) -> None:
    starter = f"from tests import servers\nwith servers.{server}():\n    print('up', flush=True)\n    input()"
    command = [sys.executable, "-c", starter]
    environment = {**os.environ, "TMPDIR": str(open_folder)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        [started] = psutil.Process(process.pid).children()
        process.kill()
    assert servers.gone(started)


def execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def test_what_postgresql_has_committed_outlives_it(mortal_postgres: servers.Server) -> None:
    run = partial(execute, mortal_postgres.url)
    run("CREATE TABLE kept AS SELECT 42")
    mortal_postgres.kill()
    with pytest.raises(psycopg2.OperationalError):
        run("DROP TABLE kept")
    mortal_postgres.start()
    mortal_postgres.wait_until_ready()
    run("DROP TABLE kept")


def test_what_the_object_store_has_taken_outlives_it(mortal_s3: servers.Server, tmp_path: Path) -> None:
    store = open_store(mortal_s3.url)
    store.put("models/kept", b"kept")
    mortal_s3.kill()
    with pytest.raises(ObjectStoreError):
        store.get("models/kept", tmp_path / "kept")
    mortal_s3.start()
    mortal_s3.wait_until_ready()
    store.get("models/kept", tmp_path / "kept")
    assert (tmp_path / "kept").read_bytes() == b"kept"
