"""A model that does worse on the second version of its data, with all that is stored of both results.

The second version has all events of the first one and as many new ones: they were driven on warmer days, most of them
with car B, on which the model was never good.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

import numpy as np
import pyarrow as pa

from atlas.drift import TableDrift
from atlas.intervals import class_metrics, with_intervals
from atlas.metrics import Predictions, confusion, measure, metric
from atlas.results import BenchmarkResult, Costs, Explanation, Importance
from atlas.slices import slice_metrics
from monitoring import documents, history
from monitoring.changed import metric_change
from monitoring.regressions import Measurement
from storage import records
from storage.models import Benchmark, VersionDrift
from storage.records import Check
from tests import stage
from tests.comparing import CLASSES, put, stored
from tests.samples import NOON, result

METRICS = ("accuracy", "f1", "log_loss")
KEYS = ("predictions/dropped-1.parquet", "predictions/dropped-2.parquet")
RIGHT = {"A": 0.93, "B": 0.66}
"""How often the model is right on either car."""


@dataclass(frozen=True, eq=False)
class Events:
    """Events with what was measured in them, their truth, and the model's probability of damage."""

    ids: list[str]
    columns: dict[str, np.ndarray]
    truth: np.ndarray
    chances: np.ndarray

    def __add__(self, other: "Events") -> "Events":
        columns = {name: np.concatenate([values, other.columns[name]]) for name, values in self.columns.items()}
        chances = np.concatenate([self.chances, other.chances])
        return Events(self.ids + other.ids, columns, np.concatenate([self.truth, other.truth]), chances)

    @property
    def table(self) -> pa.Table:
        """What drift is measured of."""
        return pa.table({**self.columns, "label": np.array(CLASSES)[self.truth.astype(int)]})


def drive(count: int, *, share_of_b: float, celsius: float, first: int = 0, seed: int = 0) -> Events:
    """So many events on days of this temperature; their ids count from `first`."""
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.4
    car = np.where(random.random(count) < share_of_b, "B", "A")
    is_right = random.random(count) < np.vectorize(RIGHT.get)(car)
    sure = 0.55 + 0.4 * random.random(count)
    return Events(
        ids=[f"2026-{first + number:05}" for number in range(count)],
        columns={
            "car": car,
            "gas.temperature": random.normal(celsius, 3, count),
            "shock.peak": random.lognormal(1, 0.4, count) * (1 + truth),
            "sound.rms": random.gamma(3, 2, count),
        },
        truth=truth,
        chances=np.where(truth == is_right, sure, 1 - sure),
    )


def outcome(events: Events, *, key: str = "", faded: float = 1.0, explained: bool = True) -> BenchmarkResult:
    """What the engine measures of them; `faded` is by which factor the peak matters less to the model."""
    names = np.array(CLASSES)
    truth = names[events.truth.astype(int)]
    given = Predictions(
        labels=names[(events.chances > 0.5).astype(int)],
        probabilities=np.column_stack([1 - events.chances, events.chances]),
        classes=CLASSES,
    )
    return result(
        metrics=with_intervals(measure([metric(name) for name in METRICS], truth, given), truth, given, seconds=30),
        class_metrics=class_metrics(truth, given),
        slice_metrics=slice_metrics({"car": events.columns["car"]}, truth, given, METRICS, seconds=30),
        confusion_matrix=confusion(truth, given),
        costs=Costs.model_validate(result().costs.model_dump() | {"predictions": len(truth)}),
        explanation=explanation(faded) if explained else Explanation(impossible="No explainer knows this model."),
        predictions_key=key,
    )


def explanation(faded: float = 1.0) -> Explanation:
    """Importances of the columns; the peak's is fainter by this factor."""
    found = {"shock.peak": 0.21 * faded, "gas.temperature": 0.12, "sound.rms": 0.05, "car": 0.01}
    return Explanation(
        method="tree contributions",
        output="probability",
        outputs=("damaged",),
        rows=400,
        of_rows=400,
        importances=tuple(
            Importance(feature=name, mean_absolute=(size,), standard_error=(0.004,))
            for name, size in sorted(found.items(), key=lambda each: -each[1])
        ),
    )


def drift(
    before: Events, now: Events, compared_with: Literal["reference", "first", "previous"], version: int | None = None
) -> TableDrift:
    """How far the columns moved, as the engine measures it."""
    (found,) = history.history(before.table, [("now", now.table)])
    return documents.table_drift(
        found.from_reference,
        compared_with=compared_with,
        version=version,
        rows_before=len(before.ids),
        rows_now=len(now.ids),
        label="label",
    )


@cache
def versions() -> tuple[Events, Events]:
    """The events of both versions."""
    first = drive(600, share_of_b=0.1, celsius=12)
    return first, first + drive(600, share_of_b=0.9, celsius=17, first=600, seed=1)


@cache
def outcomes(*, kept: bool, explained: bool, drifted: bool) -> tuple[BenchmarkResult, BenchmarkResult]:
    """The results on both."""
    first, _ = versions()
    before, now = (
        outcome(events, key=key if kept else "", faded=faded, explained=explained).model_copy(
            update={"drift": drift(first, events, "reference") if drifted else None}
        )
        for events, key, faded in zip(versions(), KEYS, (1.0, 0.6), strict=True)
    )
    return before, now


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """The keys of the model and of its benchmarks on both versions."""

    model: int
    before: int
    now: int


def dropped(
    *, checked: bool = True, drifted: bool = True, explained: bool = True, kept: bool = True, now: datetime = NOON
) -> Dropped:
    """Both results; what is said not to be there is left out. `now` is when the second benchmark ended."""
    (first, second), results = versions(), outcomes(kept=kept, explained=explained, drifted=drifted)
    model = stage.add_model("DamageDetector-2.3.0-1764143000", metrics=METRICS, primary_metric="accuracy")
    if kept:
        put(KEYS[0], stored(first.truth, first.chances, first.ids))
        put(KEYS[1], stored(second.truth, second.chances, second.ids))
    keys = [
        stage.finish(model, stage.add_version(number), results[number - 1], now=now - timedelta(days=2 - number))
        for number in (1, 2)
    ]
    if drifted:
        add_drift(keys[1], first, second)
    if checked:
        add_check(keys, results, first, second)
    return Dropped(model=model, before=keys[0], now=keys[1])


def add_drift(benchmark: int, first: Events, second: Events) -> None:
    """What the engine stores of how the second version has moved from the first."""
    version = Benchmark.objects.get(pk=benchmark).dataset_version
    moved = drift(first, second, "previous", 1).model_dump(mode="json")
    VersionDrift.objects.create(version=version, from_previous=moved, from_first=moved, made=NOON)


def add_check(keys: Sequence[int], results: Sequence[BenchmarkResult], *events: Events) -> None:
    """What the engine stores of the last of some results beside those on the versions before."""
    streams = [
        [
            Measurement(version=number, metric=result.metrics[place], events=frozenset(of.ids))
            for number, (result, of) in enumerate(zip(results, events, strict=True), start=1)
        ]
        for place in range(len(METRICS))
    ]
    stored_at = dict(Benchmark.objects.filter(pk__in=keys).values_list("pk", "finished"))
    benchmarks = dict(enumerate(keys, start=1))
    check = Check(
        benchmark=keys[-1],
        results={key: stored_at[key] or NOON for key in keys},
        changes=tuple(metric_change(stream, benchmarks) for stream in streams),
    )
    assert records.record_check(check, now=NOON)
