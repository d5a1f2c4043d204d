"""A bundle that listens: its pipeline makes features of signals within the sandbox."""

from pathlib import Path

import pyarrow as pa
import pytest

from atlas.datasets import write_arrow
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import Limits
from tests import jobs
from tests.atlas.test_signals import packed, recordings


@pytest.mark.system
def test_a_model_of_signals_is_benchmarked_and_explained(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(recordings(80, seed=3), preserve_index=False)
    write_arrow(table, tmp_path / "data.arrow")
    with Sandbox() as sandbox:
        limits = Limits(wall_seconds=60, memory_bytes=8 << 30)
        found = jobs.run(packed(tmp_path, "skops"), tmp_path / "data.arrow", sandbox, limits=limits)
    assert [(metric.name, metric.value) for metric in found.metrics] == [("accuracy", 1.0)]
    assert found.explanation is not None
    assert found.explanation.importances[0].feature.startswith("audio")
