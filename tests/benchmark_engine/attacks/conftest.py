"""A sandbox, hostile bundles to run in it, things outside for them to reach for, and a witness after each attack."""

import importlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atlas.datasets import write_arrow
from atlas.results import BenchmarkResult, Explanation, Failure
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.layers import Bubblewrap
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from tests import jobs
from tests.benchmark_engine.conftest import impacts, packed

HERE = Path(__file__).parent
ROWS = impacts(40)
INTACT = sum(label == "intact" for label in ROWS["label"].to_pylist()) / 40
"""The accuracy of a model that calls everything intact."""
TIGHT = Limits(
    wall_seconds=20,
    memory_bytes=2 << 30,
    threads=24,
    scratch_bytes=8 << 20,
    scratch_files=100,
    output_bytes=1 << 20,
)


@dataclass(frozen=True)
class Range:
    """Where attacks are tried: runs bundles on the same rows in one sandbox."""

    sandbox: Sandbox
    data: Path

    def run(self, bundle: Path, limits: Limits = TIGHT) -> BenchmarkResult:
        """The result of a bundle."""
        return jobs.run(bundle, self.data, self.sandbox, limits=limits, explained=ExplanationBudget(rows=5))

    def failure(self, bundle: Path, limits: Limits = TIGHT) -> Failure:
        """The failure of a bundle that must not have a result."""
        with pytest.raises(BenchmarkError) as caught:
            self.run(bundle, limits)
        return caught.value.failure


@pytest.fixture(scope="session")
def range_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Range]:
    """One sandbox for all attacks, so that each could harm the next."""
    data = tmp_path_factory.mktemp("data") / "rows.arrow"
    write_arrow(ROWS, data)
    with Sandbox(bubblewrap=Bubblewrap(os.environ.get("ATLAS_BUBBLEWRAP", "auto"))) as sandbox:
        yield Range(sandbox, data)


@pytest.fixture(scope="session")
def witness(range_: Range, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], None]:
    """Benchmarks a model of a good person, and fails if it is not what it was before all attacks."""
    bundle = packed(tmp_path_factory.mktemp("witness"))
    before = range_.run(bundle)

    def look() -> None:
        after = range_.run(bundle)
        assert after.metrics == before.metrics
        assert after.confusion_matrix == before.confusion_matrix
        assert _timeless(after.explanation) == _timeless(before.explanation)
        assert after.output == before.output

    return look


def _timeless(explanation: Explanation) -> Explanation:
    return explanation.model_copy(update={"seconds": 0.0})


@pytest.fixture(autouse=True)
def _the_next_benchmark_is_unharmed(witness: Callable[[], None]) -> Iterator[None]:
    yield
    witness()


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A bundle that runs a program when it predicts, or as a `Landmine` when it is loaded."""
    monkeypatch.syspath_prepend(str(HERE))

    def make(act: str, kind: str = "Hostile") -> Path:
        model = getattr(importlib.import_module("hostile"), kind)(act)
        return packed(tmp_path, model, format="joblib", code=[HERE / "hostile.py"], metrics=["accuracy"])

    return make


@dataclass(frozen=True)
class Canary:
    """A file outside of every sandbox, with a secret in it."""

    path: Path
    secret: str

    @property
    def is_unharmed(self) -> bool:
        """Whether it is all as it was."""
        status = self.path.stat()
        alone = list(self.path.parent.iterdir()) == [self.path]
        return (
            alone and self.path.read_text() == self.secret and status.st_mode & 0o777 == 0o666 and status.st_nlink == 1
        )


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody on this machine can read and change; those of pytest are closed to other users."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.fixture
def canary(open_folder: Path) -> Canary:
    """A file that everybody on this machine can read and change."""
    made = Canary(open_folder / "canary", secrets.token_hex(16))
    made.path.write_text(made.secret)
    made.path.chmod(0o666)
    return made
