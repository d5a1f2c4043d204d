"""Every kind of model that Atlas says it benchmarks is benchmarked, in the real sandbox."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import atlas
from atlas.datasets import write_arrow
from atlas.vocabulary import Task
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from tests import coverage, jobs
from tests.coverage import Case

OBJECTS = {"skops", "joblib"}
"""Formats that give back just the object that was packed."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One zygote for all, as an engine has one for all benchmarks."""
    with Sandbox() as started:
        yield started


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The author's module, importable."""
    (tmp_path / f"{coverage.OWN_MODULE}.py").write_text(coverage.OWN_CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop(coverage.OWN_MODULE, None)


def dataset(case: Case, told: dict[str, Any]) -> pa.Table:
    frame, target = coverage.events(case.task)
    if case.task is Task.MULTILABEL:
        target = [[name for name, on in zip(told["classes"], row, strict=True) if on] for row in target]
    return pa.Table.from_pandas(coverage.with_car(frame)).append_column("label", pa.array(list(target)))


@pytest.mark.system
@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize("case", list(coverage.cases()), ids=lambda case: f"{case.format}: {case.name}, {case.task}")
def test_a_model_of_this_kind_is_benchmarked(case: Case, tmp_path: Path, sandbox: Sandbox) -> None:
    told = coverage.fitted(case)
    data = tmp_path / "data.arrow"
    table = dataset(case, told)
    write_arrow(table, data)
    bundle = coverage.packed(case, told, tmp_path)
    found = jobs.run(bundle, data, sandbox, limits=Limits(wall_seconds=120), explained=ExplanationBudget(seconds=10))
    values = {metric.name: metric.value for metric in found.metrics}
    assert found.costs.predictions == coverage.ROWS
    assert found.warnings == ()
    assert coverage.said(found.explanation.method, found.explanation.impossible) == in_documents(case)
    assert values["r2" if case.task is Task.REGRESSION else "accuracy"] is not None, found.metrics
    if case.format in OBJECTS and "pipeline" not in told and case.task in {Task.BINARY, Task.MULTICLASS}:
        columns = [column.name for column in atlas.inspect(bundle).input_schema]
        predicted = np.ravel(told["model"].predict(table.to_pandas()[columns]))
        truth = [told["classes"].index(label) if predicted.dtype.kind in "iu" else label for label in truth_of(table)]
        assert values["accuracy"] == np.mean(predicted == truth)


def truth_of(table: pa.Table) -> list[Any]:
    labels: list[Any] = table["label"].to_pylist()
    return labels


def in_documents(case: Case) -> str:
    """By what the documents say that a model is explained."""
    everything = zip(coverage.cases(), coverage.explanations_in_documents(), strict=True)
    return next(text for known, text in everything if identity(known) == identity(case))


def identity(case: Case) -> tuple[str, ...]:
    return case.group, case.name, case.task, case.format


def test_the_table_in_the_documents_is_that_of_these_models() -> None:
    said = coverage.explanations_in_documents()
    assert coverage.TABLE.read_text() == coverage.table(said), "python -m tests.coverage writes it anew"


def test_nearly_all_models_are_explained() -> None:
    said = coverage.explanations_in_documents()
    assert sum(not text.startswith("not possible") for text in said) >= 0.95 * len(said)
