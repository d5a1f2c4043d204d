"""How long pages of the dashboard take over a large database, beside the sign-in page, while eight people read them.

    python -m benchmarks.dashboard [--json] [--only PAGE ...] [--rounds N] [--requests N] [--models N] [--versions N]

Starts a PostgreSQL of its own, fills it the first time and keeps it below the data folder, starts the dashboard as in
production, and has eight people read all pages at the same time, each in an order of their own. The sign-in page is one
of them. docs/reference/speed.md says what each figure is.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atlas_web.environment import ROOT, Environment
from benchmarks.figures import Figures
from benchmarks.load import Reader, Times, joined, sign_in, together
from benchmarks.pages import LOGIN, PAGES, addresses
from benchmarks.people import NAMES, PASSWORD
from tests.servers import Server, free_port, kept_postgresql

TARGET = 5.0
"""At most so many times the sign-in page's 95th percentile."""
WORKERS, THREADS = 2, 2
ALONE = 5
"""So often one person reads each page alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of all pages: queries, and seconds while one person reads and, by round, while all do."""

    queries: Mapping[str, int]
    alone: Times
    rounds: tuple[Times, ...]

    def ratio(self, page: str) -> float:
        """How many times the sign-in page's 95th percentile a page's is: the median over the rounds."""
        return statistics.median(percentile(found[page], 95) / percentile(found[LOGIN], 95) for found in self.rounds)

    def ratio_alone(self, page: str) -> float:
        """How many times as long a page takes as the sign-in page while one person reads: by medians."""
        return statistics.median(self.alone[page]) / statistics.median(self.alone[LOGIN])

    def figures(self) -> Figures:
        """The named figures."""
        pages = [page for page in self.queries if page != LOGIN]
        ratios = {page: self.ratio(page) for page in pages}
        return {
            "worst_p95_over_login": max(ratios.values()),
            **{f"p95_over_login.{page}": ratio for page, ratio in ratios.items()},
            **{f"alone_over_login.{page}": self.ratio_alone(page) for page in pages},
        }


def percentile(values: list[float], share: int) -> float:
    """The value that so many of a hundred do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


# Servers ------------------------------------------------------------------------------------------------------------


@contextmanager
def filled(folder: Path, models: int, versions: int) -> Iterator[str]:
    """The URL of a database with so much in it; made anew unless the folder has one that was filled to the end."""
    whole = folder / "filled"
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
    with kept_postgresql(folder) as url:
        if whole.exists():
            run(url, "manage.py", "migrate", "--verbosity", "0")
        else:
            run(url, "-m", "benchmarks.seed", "--models", str(models), "--versions", str(versions))
            whole.touch()
        yield url


def run(database_url: str, *command: str) -> str:
    """What a Python program over the database prints."""
    environment = {**os.environ, "DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), "ATLAS_LOG_LEVEL": "WARNING"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


@contextmanager
def dashboard(database_url: str, folder: Path) -> Iterator[str]:
    """The `host:port` of a dashboard that runs as in production."""
    address = f"127.0.0.1:{free_port()}"
    options = ["--workers", str(WORKERS), "--threads", str(THREADS), "--worker-class", "gthread", "--bind", address]
    environment = {"DATABASE_URL": database_url, "ATLAS_DATA_DIR": str(folder), "ATLAS_LOG_LEVEL": "WARNING"}
    server = Server(
        url=f"http://{address}",
        command=[sys.executable, "-m", "gunicorn", "atlas_web.wsgi", "--chdir", str(ROOT), *options],
        log=folder / "dashboard.log",
        ready=lambda: _answers(address),
        environment=environment,
    )
    server.start()
    try:
        server.wait_until_ready()
        yield address
    finally:
        server.stop()


def _answers(address: str) -> bool:
    connection = HTTPConnection(address, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


# Measuring ----------------------------------------------------------------------------------------------------------


def measure(database_url: str, only: tuple[str, ...], *, rounds: int, requests: int) -> Measured:
    """Read the pages, and the sign-in page among them."""
    known = addresses(database_url)
    pages = {page: known[page] for page in (LOGIN, *only)}
    counted = run(database_url, "-m", "benchmarks.queries_of", *(f"{page}={path}" for page, path in pages.items()))
    with tempfile.TemporaryDirectory(prefix="atlas-dashboard-") as name, dashboard(database_url, Path(name)) as address:
        readers = [Reader(address, sign_in(address, who, PASSWORD), seed) for seed, who in enumerate(NAMES)]
        together(readers, pages, 1)
        alone = readers[0].read(pages, ALONE)
        times = max(requests // len(readers), 1)
        found = tuple(together(readers, pages, times) for _ in range(rounds))
    return Measured(queries=json.loads(counted), alone=alone, rounds=found)


def show(measured: Measured) -> None:
    """Print a table of all pages."""
    table = Table("Page", "Queries", "Alone, ms", "p50, ms", "p95, ms", "p95 over login's", "")
    everything = joined(measured.rounds)
    for page, queries in measured.queries.items():
        seconds, ratio = everything[page], measured.ratio(page)
        cells = (statistics.median(measured.alone[page]), statistics.median(seconds), percentile(seconds, 95))
        times = (f"{1e3 * cell:.1f}" for cell in cells)
        table.add_row(page, str(queries), *times, f"{ratio:.2f}", "missed" if ratio > TARGET else "")
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    pages = [page for page in PAGES if page != LOGIN]
    parser.add_argument("--json", action="store_true", help="print one object of the named figures")
    parser.add_argument("--only", nargs="+", choices=pages, default=pages, metavar="PAGE", help=", ".join(pages))
    parser.add_argument("--rounds", type=int, default=3, help="how often all is measured")
    parser.add_argument("--requests", type=int, default=104, help="for each page in each round")
    parser.add_argument("--models", type=int, default=10_000, help="in the database")
    parser.add_argument("--versions", type=int, default=200, help="of datasets, in the database")
    asked = parser.parse_args()
    folder = Environment.from_environment().data_dir / "benchmarks" / f"dashboard-{asked.models}-{asked.versions}"
    with filled(folder, asked.models, asked.versions) as url:
        measured = measure(url, tuple(asked.only), rounds=asked.rounds, requests=asked.requests)
    if asked.json:
        sys.stdout.write(json.dumps(measured.figures()) + "\n")
    else:
        show(measured)


if __name__ == "__main__":
    main()
