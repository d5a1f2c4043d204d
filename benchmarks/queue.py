"""Whether claiming and finishing a benchmark takes the same time however many wait.

    python -m tests.with_postgres python -m benchmarks.queue [--json] [--sizes 1000 100000 1000000]

Fills the queue of the database in DATABASE_URL, which should be empty, and times what an engine does with one: find it,
weigh it (how much memory it will take), claim it, read it, ask whether it is still held, say how far it is, renew its
lease, store its result. Prints the medians, and their ratio to the smallest queue's.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - after the settings
from django.db import connection  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from atlas.results import Progress  # noqa: E402
from atlas.states import Phase  # noqa: E402
from storage import catalog, records  # noqa: E402
from storage.records import FileRecord  # noqa: E402
from tests.samples import description, manifest, result  # noqa: E402

if TYPE_CHECKING:
    from storage.records import Claim

LEASE = timedelta(minutes=5)
STEPS = ("find", "weigh", "claim", "read", "still held", "progress", "renew", "finish", "look for lost")
PROGRESS = Progress(phase=Phase.PREDICTING, done=1, total=2)
Answer = TypeVar("Answer")


class Timings(dict[str, list[float]]):
    """Seconds of each step, one for each time that it was done."""

    def time(self, step: str, work: Callable[[], Answer]) -> Answer:
        """Do the work and keep how long it took."""
        started = time.perf_counter()
        answer = work()
        self.setdefault(step, []).append(time.perf_counter() - started)
        return answer

    def medians_ms(self) -> dict[str, float]:
        """The median of each step, in milliseconds."""
        return {step: statistics.median(seconds) * 1e3 for step, seconds in self.items()}


def fill(size: int) -> None:
    """Queue benchmarks until so many wait: of one model on one version, told apart by invented digests."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO storage_benchmark (model_id, dataset_version_id, model_digest, dataset_digest, metrics_digest,
                state, failure_class, reason, attempts, priority, not_before, claim, engine, phase, phase_done,
                phase_total, queued, latency_rows, predictions_key, hyperparameters, class_metrics, slice_metrics,
                warnings, output)
            SELECT m.id, v.id, lpad(counted.n::text, 64, '0'), v.digest, lpad('', 64, '0'),
                'queued', '', '', 0, 0, now() - interval '1 hour', '', '', '', 0, 0, now(), 0, '', '[]', '[]', '[]',
                '[]', ''
            FROM storage_model m, storage_datasetversion v,
                generate_series((SELECT count(*) + 1 FROM storage_benchmark), %s) AS counted (n)
            """,
            [size],
        )
        cursor.execute("ANALYZE storage_benchmark")


def one_benchmark(timings: Timings) -> None:
    """What an engine does with one benchmark, from finding it to its result."""
    now = datetime.now(UTC)
    (pk,) = timings.time("find", lambda: catalog.next_to_claim(now, limit=1))
    timings.time("weigh", lambda: (catalog.needs([pk]), catalog.latest_peaks()))
    held: Claim | None = timings.time("claim", lambda: records.claim(pk, engine="one", lease=LEASE, now=now))
    if held is None:
        raise SystemExit("the queue has another user; give this script a database of its own")
    timings.time("read", lambda: catalog.assignment(pk))
    timings.time("still held", lambda: records.still_held([held]))
    timings.time("progress", lambda: records.report_progress({held: PROGRESS}))
    timings.time("renew", lambda: records.renew([held], lease=LEASE, now=now))
    timings.time("finish", lambda: records.finish(held, result(), primary_metric="f1", now=now))
    timings.time("look for lost", lambda: catalog.lease_ran_out(now))


def measured(size: int, repeats: int) -> dict[str, float]:
    """Milliseconds of each step with so many benchmarks in the queue."""
    fill(size)
    timings = Timings()
    for _ in range(repeats):
        one_benchmark(timings)
    return timings.medians_ms()


def prepare() -> None:
    """The tables, with one model and one dataset version."""
    call_command("migrate", verbosity=0)
    arrived = datetime.now(UTC)
    file = FileRecord(key="models/a.atlas", etag="1", size_bytes=1, digest="a" * 64, arrived=arrived)
    records.record_model(file, manifest())
    records.record_version(description())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one object of the named figures")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=200, help="benchmarks at each size")
    arguments = parser.parse_args()
    prepare()
    found = {size: measured(size, arguments.repeats) for size in sorted(arguments.sizes)}
    first, last = found[min(found)], found[max(found)]
    if arguments.json:
        ratios = {f"{step.replace(' ', '_')}_ratio": last[step] / first[step] for step in STEPS}
        sys.stdout.write(json.dumps({"largest_queue": max(found), **ratios}) + "\n")
        return
    table = Table("Step, ms", *(f"{size:,} wait" for size in found))
    for step in STEPS:
        table.add_row(step, *(f"{each[step]:.2f} (x {each[step] / first[step]:.2f})" for each in found.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
