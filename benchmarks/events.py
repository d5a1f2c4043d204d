"""How soon a benchmark runs after its model or its data arrived, and what a look at many known models costs.

    python -m tests.with_postgres python -m benchmarks.events [--json] [--repeats 10]

Runs whole installations with real processes on the server of DATABASE_URL: on an S3 server and on a folder that tell
of what arrives, with an engine that hardly ever looks by itself, and on an S3 server that does not, with one that looks
every two seconds. A time ends at the moment that the database holds as the start of the benchmark. Prints medians.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

import django
import httpx
import pandas as pd
from sklearn.linear_model import LogisticRegression

import atlas

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - after the settings
from django.db import connection  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from atlas.ingestion import IngestionClient  # noqa: E402
from atlas.webhooks import PATH, SIGNATURE_HEADER, NewVersion, signature  # noqa: E402
from benchmark_engine.cache import Cache  # noqa: E402
from benchmark_engine.connector import Connector  # noqa: E402
from benchmark_engine.model_manager import discover_models  # noqa: E402
from storage.models import Model  # noqa: E402
from storage.objects import DirectoryStore  # noqa: E402
from tests import servers  # noqa: E402
from tests.e2e.installation import Installation  # noqa: E402
from tests.migrated import new_database  # noqa: E402

SELDOM_SECONDS = 3600
OFTEN_SECONDS = 2
SECRET = "benchmarks"  # noqa: S105 - of an engine that lives for a minute
MODELS = 100_000
LISTENS = "The object store tells of new models"
ENDED = "SELECT count(*) FROM storage_benchmark WHERE state = 'done'"
LAST_START = "SELECT max(started) FROM storage_benchmark"


def packed(folder: Path, number: int) -> Path:
    """A small bundle, different for each number."""
    peak = pd.DataFrame({"peak": [0.0, 1.0, 2.0, 3.0]})
    return atlas.pack(
        LogisticRegression().fit(peak, ["intact", "damaged"] * 2),
        folder,
        name="Quick",
        version=f"1.{number}.0",
        use_case="damage detector",
        task="binary",
        author=("Ines Prado", "ines@example.org"),
        tags=["impacts"],
        metrics=["accuracy"],
        example=peak,
    )


def recorded(folder: Path, number: int) -> Path:
    """A recording of 40 events."""
    path = folder / f"drive{number}.csv"
    events = {"peak": range(40), "label": ["damaged" if row % 2 else "intact" for row in range(40)]}
    pd.DataFrame(events).to_csv(path, index=False)
    return path


@contextmanager
def running(object_store: str, **settings: object) -> Iterator[Installation]:
    """An installation with one recording, both engines running, and nothing to do."""
    with tempfile.TemporaryDirectory(prefix="atlas-events-") as name:
        database = new_database(os.environ["DATABASE_URL"], f"events_{uuid.uuid4().hex[:12]}")
        installation = Installation(
            Path(name), database_url=database, object_store=object_store or f"{name}/objects", **settings
        )
        try:
            installation.start_ingestion()
            installation.ingestion.upload_recording(recorded(installation.folder, 0))
            installation.ingestion.create_tag("impacts")
            installation.start("run_engine")
            log = installation.folder / "run_engine.log"
            told = (LISTENS, "found by listing")
            installation.wait_for(lambda: any(words in log.read_text() for words in told), "the engine")
            time_to_running(installation, put(installation, 0))  # what only the first one costs
            yield installation
        finally:
            installation.close()


def put(installation: Installation, number: int) -> Callable[[], None]:
    """What uploads a model that is packed already."""
    bundle = packed(installation.folder / "sent", number)
    return lambda: installation.objects.put(f"models/{bundle.name}", bundle)


def announce(installation: Installation) -> None:
    """Tell the engine of a new version."""
    body = NewVersion(tag="impacts").model_dump_json().encode()
    address = installation.environment["ATLAS_WEBHOOK_ADDRESS"]
    headers = {SIGNATURE_HEADER: signature(body, SECRET)}
    httpx.post(f"http://{address}{PATH}", content=body, headers=headers).raise_for_status()


def time_to_running(installation: Installation, cause: Callable[[], object]) -> float:
    """Seconds between something and the start of the first benchmark because of it, once all of them have ended."""
    done = installation.rows(ENDED)[0][0]
    began = datetime.now(UTC)
    cause()
    installation.wait_for(lambda: installation.rows(ENDED)[0][0] > done, "a benchmark")
    (started,) = installation.rows(LAST_START)[0]
    return cast(float, (started - began).total_seconds())


def times_of_uploads(server: AbstractContextManager[str], repeats: int, **settings: object) -> list[float]:
    """Seconds from the beginning of each upload of a model to its running."""
    with server as url, running(url, **settings) as installation:
        puts = [put(installation, number) for number in range(1, repeats + 1)]
        return [time_to_running(installation, each) for each in puts]


def times_of_versions(repeats: int) -> tuple[list[float], list[float]]:
    """Seconds from each announcement of a version to its benchmark, and from each upload of a recording to it."""
    address = f"127.0.0.1:{servers.free_port()}"
    settings = {"poll_seconds": SELDOM_SECONDS, "webhook_address": address, "webhook_secret": SECRET}
    announced, uploaded = [], []
    with running("", **settings) as installation:
        for number in range(1, repeats + 1):
            installation.ingestion.upload_recording(recorded(installation.folder, number))
            announced.append(time_to_running(installation, partial(announce, installation)))
    with running("", webhooks=f"http://{address}{PATH}", **settings) as installation:
        for number in range(1, repeats + 1):
            path = recorded(installation.folder, number)
            uploaded.append(time_to_running(installation, partial(installation.ingestion.upload_recording, path)))
    return announced, uploaded


def seconds_of_a_look(models: int) -> float:
    """A look at a folder of so many models that are known."""
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory(prefix="atlas-events-") as name:
        store = DirectoryStore(Path(name) / "objects")
        (Path(name) / "objects" / "models").mkdir()
        for number in range(models):
            (Path(name) / "objects" / "models" / f"{number}.atlas").touch()
        now = datetime.now(UTC)
        rows = (
            Model(key=each.key, etag=each.etag, name=each.key, size_bytes=0, digest=each.key[-64:], arrived=now)
            for each in store.list("models/")
        )
        Model.objects.bulk_create(rows, batch_size=5_000)
        cache = Cache(Path(name) / "cache", max_bytes=1 << 20)
        connector = Connector(objects=store, ingestion=IngestionClient("http://127.0.0.1:1"), cache=cache)
        started = time.perf_counter()
        discover_models(connector)
        seconds = time.perf_counter() - started
        connector.ingestion.close()
    connection.close()
    return seconds


def figures(repeats: int) -> dict[str, float]:
    """Everything, by name."""
    quiet = {"poll_seconds": SELDOM_SECONDS}
    announced, uploaded = times_of_versions(repeats)
    times = {
        "upload_to_running_s3_s": times_of_uploads(servers.juicefs_gateway(), repeats, **quiet),
        "upload_to_running_folder_s": times_of_uploads(nullcontext(""), repeats, **quiet),
        "upload_to_running_polling_s": times_of_uploads(servers.rclone_s3(), repeats, poll_seconds=OFTEN_SECONDS),
        "webhook_to_running_s": announced,
        "recording_to_running_s": uploaded,
    }
    medians = {name: statistics.median(found) for name, found in times.items()}
    slowest = {f"slowest_{name}": max(found) for name, found in times.items()}
    return {**medians, **slowest, "poll_100k_seconds": seconds_of_a_look(MODELS)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one object of the named figures")
    parser.add_argument("--repeats", type=int, default=10, help="of each")
    arguments = parser.parse_args()
    found = figures(arguments.repeats)
    if arguments.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    table = Table("What", "Seconds")
    for name, seconds in found.items():
        table.add_row(name, f"{seconds:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
