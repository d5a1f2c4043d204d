"""The ingestion engine, measured in a small way: the figures say nothing here, but that they can be had."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.scripts import ROOT


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that PostgreSQL's own user may enter, as it may not enter pytest's."""
    with tempfile.TemporaryDirectory(prefix="atlas-data-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.system
@pytest.mark.timeout(600)
def test_all_figures_are_printed_as_one_object_and_the_events_are_kept(folder: Path) -> None:
    small = ("--events", "2000", "--recordings", "800", "--version-events", "1000", "--event-bytes", "200")
    command = [sys.executable, "-m", "benchmarks.ingestion", "--json", "--rounds", "1", *small]
    environment = {**os.environ, "ATLAS_DATA_DIR": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    assert {"query_over_sql", "stream_over_copy", "peak_rss_mb"} <= figures.keys()
    asked = {name: value for name, value in figures.items() if name.endswith(("_count_over_sql", "_ids_over_sql"))}
    assert "one_recording_count_over_sql" in asked
    assert figures["query_over_sql"] == max(asked.values())
    assert figures["peak_rss_mb"] >= figures["resting_rss_mb"] > 0
    assert figures["making_cpu_seconds"] > 0
    assert figures["s3_making_over_copy"] > 0
    assert figures["written_mb"] > figures["version_mb"] > 0.2
    assert figures["making_over_copy"] == pytest.approx(
        figures["store_copy_mb_per_second"] / figures["written_mb_per_second"]
    )
    kept = folder / "benchmarks" / "events-2000-800" / "filled"
    written = kept.stat().st_mtime_ns
    subprocess.run([*command, "--only", "queries"], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert kept.stat().st_mtime_ns == written
