"""How a Dask worker becomes a node."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark_engine import node
from benchmark_engine.node import NAME, Node

pytestmark = pytest.mark.system


@pytest.fixture
def dask_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What a node knows of the Dask worker that it is set up on."""
    monkeypatch.setenv("ATLAS_OBJECT_STORE", str(tmp_path / "objects"))
    monkeypatch.setenv("ATLAS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(node, "seal", lambda: None)  # it is for good, and for this whole process
    worker = SimpleNamespace(plugins={}, state=SimpleNamespace(nthreads=1))
    yield worker
    worker.plugins[NAME].teardown(worker)


def test_a_node_that_could_not_be_set_up_is_set_up_by_the_next_benchmark(dask_worker: Any) -> None:
    failed = dask_worker.plugins[NAME] = Node()
    fresh = node._node(dask_worker)
    assert fresh is not failed
    assert fresh is node._node(dask_worker)
