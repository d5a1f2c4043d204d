"""What metrics, their intervals and their slices cost beside the prediction, and what predicting once saves.

    python -m benchmarks.metrics [--json] [--rows 100000] [--columns 40] [--repeats 3]

Models are fitted on a twentieth of the rows. Times are of the processor, on one thread, the best of the repeats.
"Apart" are `predict`, `decision_function` and `predict_proba`, each called for all rows.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from atlas.assessment import FLOOR_SECONDS, SHARE, assess
from atlas.formats import Meaning
from atlas.formats.estimator import METHODS, EstimatorModel
from atlas.metrics import Predictions, default_metrics, measure, metric
from atlas.vocabulary import Task

CLASSES = 4
VALUES = 10
"""How many values each of the two columns has, by which metrics are told apart."""
METRICS = default_metrics(Task.MULTICLASS)
NEEDS = frozenset(metric(name).needs for name in METRICS)
MODELS: Mapping[str, Callable[[], Any]] = {
    "forest": lambda: RandomForestClassifier(200, random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=200, random_state=0),
    "linear": lambda: LogisticRegression(max_iter=200),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds of the processor."""

    apart: float
    once: float
    metrics: float
    assessed: float

    @property
    def share(self) -> float:
        """Of the prediction, what intervals and slices cost."""
        return (self.assessed - self.metrics) / self.once

    @property
    def allowed(self) -> float:
        """What metrics, intervals and slices may cost together."""
        return max(SHARE * self.once, self.metrics + FLOOR_SECONDS)


def best(work: Callable[[], Any], repeats: int) -> float:
    """The shortest of several times."""
    found = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def costs(model: Any, features: np.ndarray, truth: np.ndarray, repeats: int) -> Costs:
    """What one model costs."""
    meaning = Meaning(task=Task.MULTICLASS, classes=tuple(range(CLASSES)))
    once = best(lambda: EstimatorModel(model, meaning).predict(features, NEEDS), repeats)
    found = EstimatorModel(model, meaning).predict(features, NEEDS)
    return Costs(
        apart=best(lambda: _apart(model, features), repeats),
        once=once,
        metrics=best(lambda: measure(map(metric, METRICS), truth, found), repeats),
        assessed=best(lambda: _assessed(truth, found, once), repeats),
    )


def _apart(model: Any, features: np.ndarray) -> None:
    for method in ("predict", *METHODS.values()):
        if hasattr(model, method):
            getattr(model, method)(features)


def _assessed(truth: np.ndarray, found: Predictions, predict_seconds: float) -> None:
    columns = {name: np.arange(len(truth)) * step % VALUES for name, step in (("car", 1), ("environment", 7))}
    assess(METRICS, truth, found, columns, predict_seconds=predict_seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one object of the named figures")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    features, truth = make_classification(
        given.rows, given.columns, n_informative=10, n_classes=CLASSES, flip_y=0.1, random_state=0
    )
    fitted_on = slice(None, None, 20)
    with threadpool_limits(1):
        models = {name: build().fit(features[fitted_on], truth[fitted_on]) for name, build in MODELS.items()}
        found = {name: costs(model, features, truth, given.repeats) for name, model in models.items()}
    _print_json(found) if given.json else _print_table(found)


def _print_json(found: Mapping[str, Costs]) -> None:
    figures: dict[str, float] = {}
    for name, each in found.items():
        figures |= {f"intervals_share_{name}": each.share, f"predict_once_{name}": each.once / each.apart}
        figures[f"of_allowed_{name}"] = each.assessed / each.allowed
    sys.stdout.write(json.dumps(figures) + "\n")


def _print_table(found: Mapping[str, Costs]) -> None:
    table = Table("Model", "Apart, s", "Once, s", "Metrics, s", "All, s", "Intervals and slices", "All, of what it may")
    for name, each in found.items():
        seconds = (f"{value:.2f}" for value in (each.apart, each.once, each.metrics, each.assessed))
        table.add_row(name, *seconds, f"{each.share:.0%} of once", f"{each.assessed / each.allowed:.0%}")
    Console().print(table)


if __name__ == "__main__":
    main()
