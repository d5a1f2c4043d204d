"""A version of events with signals: made and streamed by the real engine, and copied by what does nothing else."""

import hashlib
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from atlas.connection import bearing
from atlas.datasets import DatasetDescription, Split
from atlas.ingestion import IngestionClient
from atlas_web.environment import ROOT
from benchmarks.dashboard import run
from benchmarks.figures import Figures
from benchmarks.memory import Peak, family, private
from benchmarks.rounds import Rounds
from storage.objects import open_store
from tests.servers import Server, free_port, running

TAG = "everything"
MEGABYTE = 1e6
BUFFER_BYTES = 1 << 20
WAIT_SECONDS = 3600.0
SIGNED_IN_WITH = "what-the-measurement-bears"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large the version is: its events, and the bytes of signals in each."""

    events: int
    event_bytes: int


def measure(database_url: str, scratch: Path, scale: Scale, *, rounds: int) -> Figures:
    """MB/s of making, streaming and copying, and the engine's memory meanwhile."""
    store = str(scratch / "store")
    seed(database_url, store, scale)
    with engine(database_url, store, scratch) as running:
        resting = resident(family(running.pid))
        with (
            Peak(lambda: resident(family(running.pid))) as peak,
            Peak(lambda: private(family(running.pid))) as allocated,
        ):
            before = cpu_seconds(family(running.pid))
            made, seconds = make(running.url)
            making_cpu = cpu_seconds(family(running.pid)) - before
            found = stream(running.url, made, scratch, rounds=rounds)
    files = fetched(store, scratch)
    copy_seconds = copied_into(store, files, rounds=rounds)
    hashing_seconds = hashed(files, rounds=rounds)
    size_mb = sum(file.size_bytes for file in made.splits.values()) / MEGABYTE
    written_mb = size_mb + sum(file.size_bytes for file in made.parquet.values()) / MEGABYTE
    medians = found.medians()
    return {
        "stream_over_copy": found.ratio("copy", "stream"),
        "making_over_copy": seconds / copy_seconds,
        "sha256_over_copy": hashing_seconds / copy_seconds,
        "peak_rss_mb": peak.size_bytes / MEGABYTE,
        "resting_rss_mb": resting / MEGABYTE,
        "peak_rss_over_resting_mb": (peak.size_bytes - resting) / MEGABYTE,
        "peak_private_mb": allocated.size_bytes / MEGABYTE,
        "version_mb": size_mb,
        "making_seconds": seconds,
        "making_cpu_seconds": making_cpu,
        "making_mb_per_second": size_mb / seconds,
        "written_mb": written_mb,
        "written_mb_per_second": written_mb / seconds,
        "store_copy_mb_per_second": written_mb / copy_seconds,
        "stream_mb_per_second": size_mb / medians["stream_seconds"],
        "copy_mb_per_second": size_mb / medians["copy_seconds"],
        "file_copy_mb_per_second": size_mb / medians["file_copy_seconds"],
    }


def made_in_s3(database_url: str, store: str, scratch: Path, scale: Scale, *, rounds: int) -> Figures:
    """What making a version takes beside a copy of its files into the same bucket; `store` is the bucket's URL."""
    seed(database_url, store, scale)
    with engine(database_url, store, scratch) as running:
        _, seconds = make(running.url)
    return {
        "s3_making_over_copy": seconds / copied_into(store, fetched(store, scratch), rounds=rounds),
        "s3_making_seconds": seconds,
    }


def seed(database_url: str, store: str, scale: Scale) -> None:
    """Fill the tables and the store of an engine."""
    size = ("--events", str(scale.events), "--event-bytes", str(scale.event_bytes))
    run(database_url, "-m", "benchmarks.seed_signals", "--store", store, *size)


def resident(pids: list[int]) -> int:
    """The resident memory of processes in bytes, mapped files with it."""
    found = 0
    for pid in pids:
        try:
            found += psutil.Process(pid).memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return found


def cpu_seconds(pids: list[int]) -> float:
    """The processor time of processes so far, the kernel's on their behalf with it."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)


def make(url: str) -> tuple[DatasetDescription, float]:
    """A version with all events, and the seconds until it can be read."""
    with closing(IngestionClient(url, token=SIGNED_IN_WITH, timeout_seconds=WAIT_SECONDS, attempts=1)) as client:
        begun = time.perf_counter()
        client.create_tag(TAG)
        while not (versions := client.tag(TAG).versions):
            time.sleep(0.05)
        seconds = time.perf_counter() - begun
        return client.dataset(versions[-1].query_id), seconds


def fetched(store: str, scratch: Path) -> list[Path]:
    """Copies of the files of the version that is in a store."""
    source, files = open_store(store), []
    for stored in source.list("splits/"):
        files.append(path := scratch / stored.key.rpartition("/")[2])
        source.get(stored.key, path)
    return files


def copied_into(store: str, files: Sequence[Path], *, rounds: int) -> float:
    """Seconds for putting files into a store: the median."""
    target, found = open_store(store), []
    for number in range(rounds):
        begun = time.perf_counter()
        for path in files:
            target.put(f"copies/{number}/{path.name}", path)
        found.append(time.perf_counter() - begun)
        for path in files:
            target.delete(f"copies/{number}/{path.name}")
    return statistics.median(found)


def hashed(files: Sequence[Path], *, rounds: int) -> float:
    """Seconds for the sha256 of files, one after the other: the median."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for path in files:
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256")
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def stream(url: str, made: DatasetDescription, scratch: Path, *, rounds: int) -> Rounds:
    """Seconds for the same bytes: from the engine, from a server that only copies files, and from file to file.

    The same client fetches from both servers and throws away what it reads, so that the disk has no part in it.
    """
    copies = scratch / "copies"
    copies.mkdir()
    paths = {split: f"/api/v1/datasets/{made.query_id}/data?split={split.value}" for split in Split}
    for split, path in paths.items():
        fetch(url, path, copies / split.value)
    found = Rounds()
    with static_server(copies) as copying:
        for _ in range(rounds):
            found.add(
                {
                    "stream": sum(fetch(url, path) for path in paths.values()),
                    "copy": sum(fetch(copying, f"/{split.value}") for split in Split),
                    "file copy": sum(copy(copies / split.value, scratch / "copy") for split in Split),
                }
            )
    return found


def fetch(url: str, path: str, destination: Path = Path(os.devnull)) -> float:
    """Fetch a file, and tell the seconds that it took."""
    begun = time.perf_counter()
    with closing(HTTPConnection(url.removeprefix("http://"))) as connection, destination.open("wb") as target:
        connection.request("GET", path, headers=bearing(SIGNED_IN_WITH, "SIGNED_IN_WITH"))
        response = connection.getresponse()
        if response.status != 200:
            raise HTTPException(f"{url}{path}: {response.status} {response.reason}")
        shutil.copyfileobj(response, target, BUFFER_BYTES)
    return time.perf_counter() - begun


def copy(source: Path, destination: Path) -> float:
    """Copy a file, and tell the seconds that it took."""
    begun = time.perf_counter()
    shutil.copyfile(source, destination)
    return time.perf_counter() - begun


@contextmanager
def engine(database_url: str, store: str, folder: Path) -> Iterator[Server]:
    """The ingestion engine over a database and a store."""
    port = free_port()
    server = Server(
        url=f"http://127.0.0.1:{port}",
        command=[sys.executable, str(ROOT / "manage.py"), "run_ingestion", "--port", str(port)],
        log=folder / "engine.log",
        ready=lambda: _answers(f"127.0.0.1:{port}", "/healthz"),
        environment={
            "DATABASE_URL": database_url,
            "ATLAS_DATA_DIR": str(folder),
            "ATLAS_INGESTION_STORE": store,
            "ATLAS_INGESTION_TOKEN": SIGNED_IN_WITH,
            "ATLAS_LOG_LEVEL": "WARNING",
        },
    )
    with running(server):
        yield server


@contextmanager
def static_server(folder: Path) -> Iterator[str]:
    """The URL of Python's own server of a folder's files."""
    port = free_port()
    server = Server(
        url=f"http://127.0.0.1:{port}",
        command=[sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)],
        log=folder.with_suffix(".log"),
        ready=lambda: _answers(f"127.0.0.1:{port}", "/"),
    )
    with running(server):
        yield server.url


def _answers(address: str, path: str) -> bool:
    with closing(HTTPConnection(address, timeout=1)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
