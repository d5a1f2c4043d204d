"""Jobs of the runner, made of a bundle's file and an Arrow file as the engine makes them."""

import tempfile
import threading
from pathlib import Path
from typing import Any

from atlas.bundle import unpack
from atlas.results import BenchmarkResult
from benchmark_engine import runner
from benchmark_engine.evaluation import EvaluationData, write_features
from benchmark_engine.failures import named_failures
from benchmark_engine.runner import Job
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import Limits


def run(
    bundle: Path,
    data: Path,
    sandbox: Sandbox,
    *,
    limits: Limits,
    stop: threading.Event | None = None,
    kept: Path | None = None,
    **fields: Any,
) -> BenchmarkResult:
    """The result of a bundle on an Arrow file.

    Raises:
        BenchmarkError: there is none.
    """
    with named_failures(), tempfile.TemporaryDirectory(dir=sandbox.base) as folder:
        job = job_of(bundle, data, Path(folder), limits=limits, **fields)
        return runner.run(job, sandbox, stop or threading.Event(), folder=kept)


def job_of(bundle: Path, data: Path, folder: Path, **fields: Any) -> Job:
    """A job whose files lie below a folder, which may be new."""
    manifest = unpack(bundle, folder / "bundle")
    write_features(data, folder / "features.arrow", manifest)
    return Job(
        bundle=folder / "bundle",
        bundle_bytes=bundle.stat().st_size,
        manifest=manifest,
        data=EvaluationData(source=data, features=folder / "features.arrow"),
        **fields,
    )
