"""Follows one benchmark through its phases: measures each, and makes a span of it."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from atlas import tracing
from atlas.logs import about_benchmark
from atlas.results import BenchmarkResult, Progress
from atlas.states import Phase
from benchmark_engine import metrics
from benchmark_engine.predicting import Report
from storage.catalog import Assignment


class Phases:
    """Passes on how far a benchmark is. A phase lasts until another begins, or the `with` block ends.

    What a model says of itself is looked at every 50 ms, so what takes less may pass unseen.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._steps = tracing.Steps()
        self._began = self._entered = time.perf_counter()
        self._phase: Phase | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._leave()
        metrics.BENCHMARK_SECONDS.observe(time.perf_counter() - self._entered)

    def __call__(self, progress: Progress) -> None:
        """Say how far the benchmark is."""
        if progress.phase is not self._phase:
            self._leave()
            self._phase, self._began = progress.phase, time.perf_counter()
            self._steps.begin(progress.phase)
        self._report(progress)

    def _leave(self) -> None:
        if self._phase is not None:
            metrics.PHASE_SECONDS.labels(self._phase).observe(time.perf_counter() - self._began)
        self._steps.end()
        self._phase = None


def followed(run: Callable[[Report], BenchmarkResult], assignment: Assignment, report: Report) -> BenchmarkResult:
    """Run a benchmark, such that what is logged, measured and traced meanwhile is about it."""
    dataset = assignment.version.description
    about = tracing.span(
        "benchmark",
        benchmark=assignment.benchmark,
        model=assignment.model.manifest.name,
        dataset=f"{dataset.tag} v{dataset.number}",
    )
    with about_benchmark(assignment.benchmark), about, Phases(report) as phases:
        return run(phases)
