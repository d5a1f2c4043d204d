"""What a benchmark costs without an engine: load, predict once, compute the same numbers, in a fresh process.

    python -m benchmarks.bare FOLDER [--times N] [--pool N] [--rows-at-once N]

It says `ready` once all is imported, waits for a line, works, and says how many seconds that took.
"""

import argparse
import multiprocessing
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from atlas.assessment import Assessment, assess
from atlas.datasets import read_arrow
from atlas.intervals import class_metrics
from atlas.metrics import Predictions, confusion
from atlas.results import ClassMetrics, ConfusionMatrix
from benchmarks.subjects import METRICS, TARGET, Prepared, features

Numbers = tuple[Assessment, tuple[ClassMetrics, ...], ConfusionMatrix]


def benchmark(prepared: Prepared, rows_at_once: int | None = None, *, asks_twice: bool = False) -> Numbers:
    """The metrics with their intervals, those of each class, and the confusion matrix.

    With `asks_twice` the classes are asked for too, instead of read off the probabilities: all is predicted again.
    """
    truth = np.array(read_arrow(prepared.data)[TARGET].to_pylist())
    model = joblib.load(prepared.model)
    began = time.perf_counter()
    probabilities = _probabilities(model, prepared, rows_at_once or len(truth))
    seconds = time.perf_counter() - began
    asked = model.predict(features(prepared).to_pandas()) if asks_twice else None
    predictions = Predictions(
        labels=model.classes_[probabilities.argmax(axis=1)] if asked is None else asked,
        probabilities=probabilities,
        classes=tuple(model.classes_.tolist()),
    )
    return (
        assess(METRICS, truth, predictions, {}, predict_seconds=seconds, primary=METRICS[0]),
        class_metrics(truth, predictions),
        confusion(truth, predictions),
    )


def _probabilities(model: Any, prepared: Prepared, rows_at_once: int) -> np.ndarray:
    table = features(prepared)
    parts = [
        model.predict_proba(table.slice(first, rows_at_once).to_pandas())
        for first in range(0, table.num_rows, rows_at_once)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def benchmark_several(prepared: Prepared, times: int, rows_at_once: int | None = None) -> None:
    """One benchmark after the other in this process."""
    for _ in range(times):
        benchmark(prepared, rows_at_once)


def benchmark_in_pool(prepared: Prepared, times: int, processes: int) -> None:
    """As a script would do it that thinks of nothing: a pool that forks, in which every library uses all cores, and
    models that are asked for classes and for probabilities."""
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        pool.map(partial(benchmark, asks_twice=True), [prepared] * times, chunksize=1)


def main() -> None:
    """Get ready, wait, work, and print the seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=1, help="benchmarks to do")
    parser.add_argument("--pool", type=int, default=0, help="processes of a pool that does them; 0 for none")
    parser.add_argument("--rows-at-once", type=int, help="rows of each prediction; all if not given")
    arguments = parser.parse_args()
    prepared = Prepared(arguments.folder)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began = time.perf_counter()
    if arguments.pool:
        benchmark_in_pool(prepared, arguments.times, arguments.pool)
    else:
        benchmark_several(prepared, arguments.times, arguments.rows_at_once)
    sys.stdout.write(f"seconds {time.perf_counter() - began}\n")


if __name__ == "__main__":
    main()
