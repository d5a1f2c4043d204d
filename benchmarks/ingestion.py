"""What the ingestion engine costs beside a database and a disk: queries over many events, and a large version.

    python -m benchmarks.ingestion [--json] [--only PART ...] [--rounds N] [--events N] [--recordings N]
                                   [--version-events N] [--event-bytes N]

Starts a PostgreSQL of its own. `queries` fills it the first time, keeps it below the data folder, and asks for the same
events by queries and by SQL that is written by hand. `version` has the real engine make a version of events with
signals and stream it over HTTP, `bucket` make it in a bucket. docs/reference/speed.md says what each figure is.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas_web.environment import Environment
from benchmarks.dashboard import run
from benchmarks.figures import Figures, Targets, tell
from benchmarks.streaming import Scale, made_in_s3, measure
from tests.servers import juicefs_gateway, kept_postgresql, postgresql

TARGETS: Targets = {
    "query_over_sql": ("≤", 3.0),
    "stream_over_copy": ("≥", 0.5),
    "making_over_copy": ("≤", 1.5),
    "peak_rss_over_resting_mb": ("≤", 300.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What the parts measure with, and how much.

    Attributes:
        cache: a folder that stays.
        rounds: how often each is measured.
        events: in the database of the queries.
        recordings: in the same.
        scale: of the version.
    """

    cache: Path
    rounds: int
    events: int
    recordings: int
    scale: Scale


def queries(rig: Rig) -> Figures:
    """Queries beside SQL that selects the same events."""
    folder = rig.cache / f"events-{rig.events}-{rig.recordings}"
    whole = folder / "filled"
    with kept_postgresql(folder) as url:
        if not whole.exists():
            run(url, "-m", "benchmarks.seed_events", "--events", str(rig.events), "--recordings", str(rig.recordings))
            whole.touch()
        printed = run(url, "-m", "benchmarks.event_queries", "--rounds", str(rig.rounds))
    return {name: float(value) for name, value in json.loads(printed).items()}


def version(rig: Rig) -> Figures:
    """A version of many events with signals, made and streamed by the real engine."""
    with postgresql() as url, tempfile.TemporaryDirectory(prefix="atlas-ingestion-") as scratch:
        return measure(url, Path(scratch), rig.scale, rounds=rig.rounds)


def bucket(rig: Rig) -> Figures:
    """The same version, made in a bucket of a server that runs MinIO's code."""
    with postgresql() as url, juicefs_gateway() as store, tempfile.TemporaryDirectory(prefix="atlas-bucket-") as name:
        return made_in_s3(url, store, Path(name), rig.scale, rounds=rig.rounds)


PARTS: Mapping[str, Callable[[Rig], Figures]] = {part.__name__: part for part in (queries, version, bucket)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one object of the named figures")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured")
    parser.add_argument("--events", type=int, default=1_000_000, help="that queries look through")
    parser.add_argument("--recordings", type=int, default=2_000, help="that these events belong to")
    parser.add_argument("--version-events", type=int, default=100_000, help="in the version that is made")
    parser.add_argument("--event-bytes", type=int, default=4_000, help="of signals in each of those")
    asked = parser.parse_args()
    rig = Rig(
        cache=Environment.from_environment().data_dir / "benchmarks",
        rounds=asked.rounds,
        events=asked.events,
        recordings=asked.recordings,
        scale=Scale(events=asked.version_events, event_bytes=asked.event_bytes),
    )
    figures: Figures = {}
    for name in asked.only:
        figures |= PARTS[name](rig)
    tell(figures, TARGETS, as_json=asked.json)


if __name__ == "__main__":
    main()
