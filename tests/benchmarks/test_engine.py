"""The real engine, measured in a small way: the figures say nothing here, but that they can be had."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bare
from benchmarks.installed import engine
from benchmarks.scripts import ROOT
from benchmarks.subjects import Prepared


@pytest.mark.system
def test_the_engine_stores_the_numbers_that_the_bare_script_computes(
    small: Prepared, postgres_url: str, tmp_path: Path
) -> None:
    measured, _, _ = bare.benchmark(small)
    with engine(small, server=postgres_url, base=tmp_path, workers=2) as running:
        running.first()
        stored = running.metrics()
        assert running.run(2) > 0
        assert running.metrics() == stored
    assert stored == pytest.approx({value.name: value.value for value in measured.metrics})


@pytest.mark.system
@pytest.mark.timeout(900)
def test_all_figures_but_those_that_need_mlflow_are_printed_as_one_object(tmp_path: Path) -> None:
    parts = ("speed", "forest", "boosting", "dispatch", "memory")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.engine", "--json", "--quick", "--rounds", "1", "--only", *parts],
        cwd=ROOT,
        env={**os.environ, "ATLAS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(done.stdout)
    assert {
        "speedup_2",
        "speedup_2_vs_ceiling",
        "vs_naive_pool",
        "overhead_forest",
        "overhead_boosting",
        "dispatch_ms",
        "peak_over_dataset",
    } <= figures.keys()
    assert all(figures[name] > 0 for name in figures if name.endswith(("_seconds", "_bytes", "_ms")))
