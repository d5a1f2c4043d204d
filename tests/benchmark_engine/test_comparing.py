"""How far a benchmark's rows lie from what its model was trained on, whatever the bundle says that this was."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.preprocessing import StandardScaler

from atlas.bundle import REFERENCE
from atlas.datasets import write_arrow
from atlas.drift import ColumnDrift, TableDrift
from atlas.results import BenchmarkResult
from benchmark_engine.comparing import NO_REFERENCE, Compared, Comparison
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.predicting import Children
from benchmark_engine.sandbox.comparing import MOST_ROWS, compared
from benchmark_engine.sandbox.launcher import Ending, Outcome, Sandbox
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.sandbox.protocol import BUNDLE, FEATURES, LABEL, OUTCOMES, PREDICTION, CompareAnswer, Stage
from benchmark_engine.sandbox.reference import FIRST_ROWS, sampled_reference
from benchmark_engine.sandbox.workspace import Workspace
from tests import bundles, jobs
from tests.benchmark_engine.conftest import as_parquet, features, impacts, packed
from tests.samples import manifest

TRAINED_ON = impacts(600, seed=7)
NOW = impacts(400)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One zygote for all tests."""
    with Sandbox() as started:
        yield started


@pytest.fixture
def benchmark(tmp_path: Path, sandbox: Sandbox) -> Callable[..., BenchmarkResult]:
    """Runs a bundle on a table, without an explanation."""

    def run(bundle: Path, table: pa.Table = NOW) -> BenchmarkResult:
        data, limits = tmp_path / "data.arrow", Limits(wall_seconds=60, memory_bytes=1 << 30)
        write_arrow(table, data)
        return jobs.run(bundle, data, sandbox, limits=limits, explained=ExplanationBudget(rows=0))

    return run


def changed(table: pa.Table, **columns: Any) -> pa.Table:
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table


def moved(drift: TableDrift) -> set[str]:
    beside = [column for column in (drift.labels, drift.predictions) if column]
    return {column.name for column in (*drift.columns, *beside) if column.has_moved}


def rows_before(column: ColumnDrift | None) -> int:
    assert column
    return sum(column.distribution.before)


def test_columns_labels_and_predictions_are_compared_with_what_the_model_was_trained_on(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    """A sensor that reads more moves its column and what the model makes of it, not the labels."""
    pipeline = StandardScaler().set_output(transform="pandas").fit(features(TRAINED_ON))
    model = LogisticRegression().fit(pipeline.transform(features(TRAINED_ON)), TRAINED_ON["label"].to_pylist())
    reference = TRAINED_ON.drop_columns("id").to_pandas()
    bundle = packed(tmp_path, model, pipeline=pipeline, reference=reference)
    same = benchmark(bundle)
    assert same.drift
    assert (same.drift.compared_with, same.drift.version, same.drift_unknown) == ("reference", None, "")
    assert (same.drift.rows_before, same.drift.rows_now, moved(same.drift)) == (600, 400, set())
    assert (rows_before(same.drift.labels), rows_before(same.drift.predictions)) == (600, 600)
    now = benchmark(bundle, changed(NOW, peak=np.array(NOW["peak"]) + 2)).drift
    assert now
    assert moved(now) == {"peak", "prediction"}
    assert (now.columns[0].name, now.share_moved, now.gone, now.new) == ("peak", 0.5, (), ())


def test_sets_of_labels_are_compared_as_sets(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    def labelled(table: pa.Table) -> pd.DataFrame:
        rows = features(table)
        signs = zip(rows["peak"] > 0, rows["rms"] > 0, strict=True)
        sets = [["hit"] * is_hit + ["scratch"] * is_scratched for is_hit, is_scratched in signs]
        return rows.assign(label=pd.Series(sets))

    before, now = labelled(TRAINED_ON), labelled(NOW)
    truth = np.array([["hit" in row, "scratch" in row] for row in before["label"]])
    model = MultiOutputClassifier(LogisticRegression()).fit(before[["peak", "rms"]], truth)
    changes = {"task": "multilabel", "classes": ["hit", "scratch"], "metrics": ["accuracy"], "format": "joblib"}
    bundle = packed(tmp_path, model, reference=before, **changes)
    found = benchmark(bundle, pa.Table.from_pandas(now[now["peak"] > 0], preserve_index=False)).drift
    assert found
    assert found.labels
    assert found.predictions
    assert set(found.labels.distribution.bins) == {"", "hit", "scratch", "hit, scratch", "others", "missing"}
    assert set(found.predictions.distribution.bins) == set(found.labels.distribution.bins)
    assert moved(found) == {"peak", "label", "prediction"}


def test_values_of_a_regression_are_compared_as_numbers(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    before = features(TRAINED_ON).assign(label=np.array(TRAINED_ON["peak"]) * 2)
    model = LinearRegression().fit(before[["peak", "rms"]], before["label"])
    bundle = packed(tmp_path, model, task="regression", metrics=["mean_absolute_error"], reference=before)
    found = benchmark(bundle, changed(NOW, label=np.array(NOW["peak"]) * 2 + 3)).drift
    assert found
    assert found.labels
    assert found.labels.wasserstein == pytest.approx(1.5, abs=0.1)
    assert moved(found) == {"label"}


def test_a_model_that_fails_on_its_reference_costs_the_drift_of_predictions_only(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picky.py").write_text(
        "import numpy as np\n"
        "from sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Picky(ClassifierMixin, BaseEstimator):\n"
        "    classes_ = np.array(['damaged', 'intact'])\n"
        "    def predict(self, X):\n"
        f"        if len(X) == {FIRST_ROWS}:\n"
        "            raise ValueError('not these')\n"
        "        return np.array(['intact'] * len(X))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from picky import Picky  # type: ignore[import-not-found]

    shared = {"format": "joblib", "code": [tmp_path / "picky.py"], "metrics": ["accuracy"]}
    found = benchmark(packed(tmp_path, Picky(), reference=features(TRAINED_ON), **shared))
    assert found.metrics[0].value is not None
    assert found.drift
    assert (len(found.drift.columns), found.drift.labels, found.drift.predictions) == (2, None, None)
    assert found.drift_unknown == "The reference cannot be predicted: ValueError: not these"


def test_without_a_reference_drift_is_unknown(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    found = benchmark(packed(tmp_path))
    assert (found.drift, found.drift_unknown) == (None, NO_REFERENCE)


# References that are no sample of the training data


def bomb() -> bytes:
    """A hundred thousand times the same text of a mebibyte, in a file of a few kilobytes."""
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), ["x" * (1 << 20)])
    return as_parquet(pa.table({"peak": text}), store_schema=False, compression="zstd")


def test_a_reference_that_grows_when_it_is_read_costs_the_drift_only(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    bundle = packed(tmp_path)
    bundles.smuggle(bundle, REFERENCE, bomb())
    found = benchmark(bundle)
    assert all(metric.value is not None for metric in found.metrics)
    assert found.drift is None
    assert "memory" in found.drift_unknown


@pytest.fixture
def cut_short(sandbox: Sandbox) -> Callable[..., Compared]:
    """A comparison whose child ends late or is stopped, after one that predicted nothing of the reference."""

    def run(*, stop: threading.Event, sandbox: Sandbox = sandbox) -> Compared:
        with sandbox.workspace() as folders:
            bundle, labels = folders.inputs / BUNDLE, NOW["label"]
            bundle.mkdir()
            (bundle / REFERENCE).write_bytes(as_parquet(TRAINED_ON))
            write_arrow(NOW.select(["peak", "rms"]), folders.inputs / FEATURES)
            comparison = Comparison(
                bundle=bundle,
                manifest=manifest(),
                labels=labels,
                predictions=np.array(labels.to_pylist()),
                predicted=folders.folder,
            )
            limits = Limits(wall_seconds=30)
            return comparison.made(Children(folders=folders, sandbox=sandbox, limits=limits, stop=stop))

    return run


class Slow:
    """A sandbox whose children do nothing until their time is over."""

    def __init__(self, real: Sandbox) -> None:
        self.workspace = real.workspace

    @staticmethod
    def run(_stage: Stage, folders: Workspace, *, limits: Limits, **_: Any) -> Outcome:
        return Outcome(
            scratch=folders.folder,
            ending=Ending.TIMEOUT,
            exit_code=-9,
            excess=None,
            refused="",
            layers=(),
            missing={},
            output="",
            wall_seconds=limits.wall_seconds,
        )


def test_a_comparison_takes_as_long_as_it_may_and_ends_with_its_engine(
    cut_short: Callable[..., Compared], sandbox: Sandbox
) -> None:
    going, stopped = threading.Event(), threading.Event()
    stopped.set()
    found = cut_short(stop=going)
    assert found.drift
    assert found.unknown == "The model's process ended before it had predicted the reference."
    late = cut_short(stop=going, sandbox=Slow(sandbox))
    assert late.drift is None
    assert late.unknown == "Comparing the bundle's reference was ended. It was not done after 30 s."
    with pytest.raises(BenchmarkError, match="stopped"):
        cut_short(stop=stopped)


Compare = Callable[[bytes | pa.Table], CompareAnswer]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """The child's own work, on rows of two columns and a reference."""
    (tmp_path / BUNDLE).mkdir()
    write_arrow(NOW.select(["peak", "rms"]), tmp_path / FEATURES)
    write_arrow(pa.table({LABEL: NOW["label"], PREDICTION: NOW["label"]}), tmp_path / OUTCOMES)

    def run(reference: bytes | pa.Table) -> CompareAnswer:
        content = as_parquet(reference) if isinstance(reference, pa.Table) else reference
        (tmp_path / BUNDLE / REFERENCE).write_bytes(content)
        return compared(manifest(), tmp_path)

    return run


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        (b"no Parquet at all", "ArrowInvalid"),
        (b"", "ArrowInvalid"),
        (as_parquet(TRAINED_ON)[:-20] + b"PAR1", "cannot be compared"),
        (TRAINED_ON.slice(0, 0), "columns that have rows"),
        (pa.table({"speed": [1.0]}), "no column"),
        (pa.Table.from_arrays([TRAINED_ON["peak"]] * 2, ["peak", "peak"]), "cannot be compared"),
    ],
    ids=["no Parquet", "empty", "a damaged footer", "no rows", "other columns", "a name twice"],
)
def test_what_is_no_reference_is_a_sentence(compare: Compare, reference: bytes | pa.Table, says: str) -> None:
    found = compare(reference)
    assert found.drift is None
    assert says in found.unknown


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["1.0"] * 600),
        pa.nulls(600),
        pa.array([b"\xff"] * 600),
        pa.array([True] * 600),
        pa.array(["a\0b"] * 600).dictionary_encode(),
        pa.array(range(600), pa.timestamp("ns")),
        pa.array([float("inf"), float("nan")] * 300),
    ],
    ids=["texts", "nothing", "bytes", "flags", "a dictionary", "times", "no numbers"],
)
def test_a_column_of_another_type_has_moved(compare: Compare, column: pa.Array) -> None:
    drift = compare(changed(TRAINED_ON, peak=column)).drift
    assert drift
    assert moved(drift) == {"peak"}


def test_lists_are_left_out_and_columns_that_nobody_asked_for_are_not_read(compare: Compare) -> None:
    lists = changed(TRAINED_ON, rms=[[1.0]] * 600, label=[{"is": "intact"}] * 600)
    many = pa.table({f"c{number}": [1.0] * 600 for number in range(2_000)})
    for name in many.column_names:
        lists = lists.append_column(name, many[name])
    drift = compare(lists).drift
    assert drift
    assert [column.name for column in drift.columns] == ["peak"]
    assert drift.new == ("rms",)


def test_rows_without_labels_are_compared_as_far_as_they_go(compare: Compare, tmp_path: Path) -> None:
    write_arrow(pa.table({PREDICTION: NOW["label"]}), tmp_path / OUTCOMES)
    drift = compare(TRAINED_ON).drift
    assert drift
    assert (len(drift.columns), drift.labels, drift.gone) == (2, None, ())


def test_a_large_table_is_sampled_alike_each_time(compare: Compare, tmp_path: Path) -> None:
    rows = 50_000
    many = pa.table({"peak": np.arange(rows, dtype=float), "rms": np.zeros(rows), "peak.high": [0] * rows})
    many = many.append_column("peaks", pa.array([[1]] * rows))
    drift = compare(many).drift
    assert drift
    assert (drift.rows_before, drift.rows_now) == (MOST_ROWS, NOW.num_rows)
    first, again = (sampled_reference(tmp_path / BUNDLE / REFERENCE, ["peak", "peaks"], 1_000) for _ in range(2))
    assert first == again
    assert first.column_names == ["peak", "peaks"]
    values = np.array(first["peak"])
    assert len(set(values)) == 1_000
    assert list(values) == sorted(values)
    assert 20_000 < values.mean() < 30_000
