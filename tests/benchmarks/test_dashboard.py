"""The dashboard, loaded in a small way: the figures say nothing here, but that they can be had."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.dashboard import Measured, percentile
from benchmarks.pages import LOGIN, PAGES
from benchmarks.scripts import ROOT


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that PostgreSQL's own user may enter, as it may not enter pytest's."""
    with tempfile.TemporaryDirectory(prefix="atlas-data-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_page_is_compared_with_the_sign_in_page_of_the_same_round() -> None:
    quiet, noisy = {LOGIN: [0.01] * 20, "models": [0.03] * 20}, {LOGIN: [0.1] * 20, "models": [0.4] * 20}
    last = {LOGIN: [0.01] * 20, "models": [0.05] * 20}
    measured = Measured(queries={LOGIN: 0, "models": 9}, alone=quiet, rounds=(quiet, noisy, last))
    assert measured.figures() == {
        "worst_p95_over_login": pytest.approx(4.0),
        "p95_over_login.models": pytest.approx(4.0),
        "alone_over_login.models": pytest.approx(3.0),
    }


def test_a_percentile_is_not_exceeded_by_so_many_of_a_hundred() -> None:
    assert percentile([float(number) for number in range(1, 102)], 95) == 96.0


@pytest.mark.system
@pytest.mark.timeout(600)
def test_all_pages_are_loaded_and_the_database_is_kept(folder: Path) -> None:
    small = ("--models", "60", "--versions", "40", "--rounds", "1", "--requests", "8")
    command = [sys.executable, "-m", "benchmarks.dashboard", "--json", *small]
    environment = {**os.environ, "ATLAS_DATA_DIR": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    named = {f"{kind}_over_login.{page}" for kind in ("p95", "alone") for page in PAGES if page != LOGIN}
    assert set(figures) == {"worst_p95_over_login", *named}
    ratios = [figures[name] for name in named if name.startswith("p95")]
    assert figures["worst_p95_over_login"] == max(ratios) > 0
    kept = folder / "benchmarks" / "dashboard-60-40" / "filled"
    written = kept.stat().st_mtime_ns
    subprocess.run([*command, "--only", "home"], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert kept.stat().st_mtime_ns == written
