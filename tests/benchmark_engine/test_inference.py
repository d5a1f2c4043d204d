"""Predictions apart from benchmarks, in the real sandbox: events of a version, and rows that people send."""

import json
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from atlas.bundle import read_manifest
from atlas.datasets import (
    ColumnStatistics,
    DatasetDescription,
    Split,
    SplitFile,
    Statistics,
    file_digest,
    write_arrow,
)
from atlas.inference import Inferred
from atlas.results import Failure
from atlas.states import FailureClass
from benchmark_engine.cache import Cache
from benchmark_engine.explanations import EVENTS, VALUES
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.inference import PREDICTED, InferenceTask, Inferrer
from benchmark_engine.inference_rows import SentRows, VersionRows
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.worker import Worker, sha256_of
from explainability import explained
from storage.objects import DirectoryStore
from tests.benchmark_engine.conftest import impacts, packed
from tests.samples import description

ROWS = 12
KNOWN = Statistics(
    rows=100,
    labels={},
    cars={},
    environments={},
    columns=(
        ColumnStatistics(name="peak", dtype="double", missing=0, minimum=-5.0, maximum=5.0),
        ColumnStatistics(name="rms", dtype="double", missing=1, minimum=-5.0, maximum=5.0),
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inference")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Iterator[Sandbox]:
    """One zygote for all tests, as an engine has one for all it runs."""
    with Sandbox(readable=[folder]) as started:
        yield started


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Path:
    """A model none of whose metrics needs probabilities."""
    return packed(folder, metrics=["accuracy"])


@pytest.fixture(scope="module")
def objects(folder: Path, bundle: Path) -> DirectoryStore:
    """A store that has a model."""
    store = DirectoryStore(folder / "objects")
    store.put("models/a.atlas", bundle)
    return store


@pytest.fixture(scope="module")
def dataset(folder: Path) -> DatasetDescription:
    """A version whose evaluation split is every third event."""
    table, splits = impacts(ROWS), {}
    for split, chosen in ((Split.TRAINING, np.arange(ROWS) % 3 != 0), (Split.EVALUATION, np.arange(ROWS) % 3 == 0)):
        path = folder / f"{split}.arrow"
        write_arrow(table.filter(pa.array(chosen)), path)
        splits[split] = SplitFile(rows=int(chosen.sum()), size_bytes=path.stat().st_size, sha256=sha256_of(path))
    return description(rows=ROWS, digest=file_digest(path), splits=splits, statistics=KNOWN)


@pytest.fixture(scope="module")
def infer(
    sandbox: Sandbox, folder: Path, bundle: Path, objects: DirectoryStore, dataset: DatasetDescription
) -> Callable[..., Inferred]:
    """Predicts with the model in the store, whose file is found again below the claim `c`."""

    def fetch(_: DatasetDescription, split: Split, path: Path) -> None:
        path.write_bytes((folder / f"{split}.arrow").read_bytes())

    worker = Worker(
        objects=objects,
        fetch_data=lambda version, path: fetch(version, Split.EVALUATION, path),
        cache=Cache(folder / "cache", max_bytes=1 << 30),
        sandbox=sandbox,
    )

    def run(rows: VersionRows | SentRows, *, explained_rows: int = 0, known: bool = True) -> Inferred:
        task = InferenceTask(
            claim="c",
            bundle_key="models/a.atlas",
            bundle_digest=sha256_of(bundle),
            bundle_bytes=bundle.stat().st_size,
            manifest=read_manifest(bundle),
            rows=rows,
            known=dataset if known else None,
            limits=Limits(wall_seconds=60, memory_bytes=8 << 30),
            explained=ExplanationBudget(rows=explained_rows),
        )
        return Inferrer(worker=worker, fetch=fetch).infer(task, threading.Event()).inferred

    return run


@pytest.fixture
def send(objects: DirectoryStore, infer: Callable[..., Inferred]) -> Callable[..., Inferred]:
    """Sends rows and predicts them."""

    def run(content: bytes, suffix: str = "csv", **options: object) -> Inferred:
        objects.put(f"inferences/rows/1.{suffix}", content)
        return infer(SentRows(key=f"inferences/rows/1.{suffix}"), **options)

    return run


def predicted(objects: DirectoryStore) -> pa.Table:
    with objects.open(f"inferences/c/{PREDICTED}") as file:
        return parquet.read_table(BytesIO(file.read()))


def failure_of(run: Callable[..., Inferred], *arguments: object) -> Failure:
    with pytest.raises(BenchmarkError) as caught:
        run(*arguments)
    return caught.value.failure


def test_events_of_both_splits_are_predicted_and_explained(
    infer: Callable[..., Inferred], dataset: DatasetDescription, objects: DirectoryStore
) -> None:
    inferred = infer(VersionRows(dataset=dataset, events=("r/0003", "r/0001")), explained_rows=5)
    table = predicted(objects)
    assert table["id"].to_pylist() == ["r/0001", "r/0003"]
    assert table["split"].to_pylist() == ["training", "evaluation"]
    assert table["truth"].to_pylist() == impacts(ROWS)["label"].take(pa.array([1, 3])).to_pylist()
    assert np.allclose(np.add(table["probability intact"], table["probability damaged"]), 1)
    assert inferred.explanation.available, inferred.explanation.impossible
    with objects.open(f"inferences/c/{VALUES}") as file:
        kept = explained.read(file.read())
    assert (kept.ids.tolist(), kept.truth.tolist()) == (["r/0001", "r/0003"], ["", ""])
    with objects.open(f"inferences/c/{EVENTS}") as file:
        assert parquet.read_table(BytesIO(file.read()))["peak"].to_pylist() == impacts(ROWS)["peak"].to_pylist()[1:4:2]


def test_the_first_events_of_a_version_are_those_with_the_first_ids(
    infer: Callable[..., Inferred], dataset: DatasetDescription, objects: DirectoryStore
) -> None:
    infer(VersionRows(dataset=dataset, most=5))
    assert predicted(objects)["id"].to_pylist() == [f"r/{number:04}" for number in range(5)]
    assert infer(VersionRows(dataset=dataset)).rows == ROWS


def test_an_event_that_is_not_there_is_named(infer: Callable[..., Inferred], dataset: DatasetDescription) -> None:
    failure = failure_of(infer, VersionRows(dataset=dataset, events=("r/0001", "gone")))
    assert (failure.failure_class, failure.reason) == (FailureClass.SCHEMA_MISMATCH, "impacts v1 has no event gone.")


def test_rows_of_one_s_own_are_predicted_with_warnings_where_a_value_is_new_to_the_model(
    send: Callable[..., Inferred], objects: DirectoryStore
) -> None:
    inferred = send(b"rms,peak,id\n1,1,mine\n2,900,\n3,-1,third\n", explained_rows=2)
    assert predicted(objects)["id"].to_pylist() == ["mine", "2", "third"]
    (found,) = inferred.out_of_range
    assert (found.column, found.known, found.examples, found.events) == ("peak", "-5 to 5", ("900",), ("2",))
    with objects.open(f"inferences/c/{EVENTS}") as file:
        assert parquet.read_table(BytesIO(file.read())).to_pydict() == {
            "id": ["mine", "2"],
            "peak": [1.0, 900.0],
            "rms": [1.0, 2.0],
        }


@pytest.mark.parametrize("form", ["parquet", "json"])
def test_parquet_and_json_give_the_same(form: str, send: Callable[..., Inferred], objects: DirectoryStore) -> None:
    table = pa.table({"peak": pa.array([1, -1], pa.int32()), "rms": [1.5, 0.5], "other": ["a", "b"]})
    content = BytesIO()
    parquet.write_table(table, content)
    rows = content.getvalue() if form == "parquet" else json.dumps(table.to_pylist()).encode()
    assert send(rows, form).rows == 2
    assert predicted(objects)["prediction"].to_pylist() == ["damaged", "intact"]


@pytest.mark.parametrize(
    ("suffix", "content", "reason"),
    [
        ("csv", b"peak\n1\n", "Column rms is missing. The model needs it."),
        ("csv", b"peak,rms\n1,1\n1,fast\n", "Row 2: rms holds 'fast', a number is needed."),
        ("parquet", b"PAR1 and nothing of it", "The Parquet file cannot be read: "),
        ("json", b"[" * 100_000, "The rows are not JSON: "),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    suffix: str, content: bytes, reason: str, send: Callable[..., Inferred]
) -> None:
    failure = failure_of(send, content, suffix)
    assert failure.failure_class is FailureClass.SCHEMA_MISMATCH
    assert failure.reason.startswith(reason)


def test_one_row_has_no_explanation_where_nothing_says_what_others_are_like(send: Callable[..., Inferred]) -> None:
    inferred = send(b"peak,rms\n1,1\n", explained_rows=5, known=False)
    assert "Predict several rows at a time" in inferred.explanation.impossible
    assert inferred.warnings[0].startswith("No data are known that this model was trained on")
