"""What the engine takes over of a child's explanation: what is sound, and nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from atlas.datasets import write_arrow
from atlas.metrics import Predictions
from benchmark_engine.chosen import Chosen
from benchmark_engine.evaluation import EvaluationData
from benchmark_engine.explanations import EVENTS, VALUES, Explaining, NotExplainedError, read_findings
from benchmark_engine.sandbox.explaining import Keep
from benchmark_engine.sandbox.explaining import explained as explain_in_child
from benchmark_engine.sandbox.protocol import (
    CHOSEN,
    EXPLANATION,
    SHAP_VALUES,
    AnswerError,
    ChosenRows,
    ExplainAnswer,
    write_document,
)
from explainability.attribution import ImpossibleError
from explainability.explained import Findings, read
from tests.benchmark_engine.conftest import impacts
from tests.explained import explained
from tests.samples import manifest

ROWS = 60


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where a child has written its findings about some rows."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    write_document(ChosenRows(rows=tuple(range(ROWS))), tmp_path / CHOSEN)
    write_document(explain_in_child(find, tmp_path, folder), folder / EXPLANATION)
    return folder


def find(rows: tuple[int, ...], keep: Keep) -> Findings:
    """Findings about so many rows, of which the SHAP values come first."""
    findings = explained(len(rows)).findings
    keep(replace(findings, effects=(), tree=None, local=None))
    return findings


class KilledError(BaseException):
    """The child ends here."""


def test_of_a_child_that_ends_when_its_model_is_asked_for_more_the_values_are_kept(tmp_path: Path) -> None:
    def find_first(rows: tuple[int, ...], keep: Keep) -> Findings:
        find(rows, keep)
        raise KilledError

    write_document(ChosenRows(rows=tuple(range(ROWS))), tmp_path / CHOSEN)
    with pytest.raises(KilledError):
        explain_in_child(find_first, tmp_path, tmp_path)
    _, found = read_findings(tmp_path, most_rows=ROWS)
    np.testing.assert_array_equal(found.values, explained(ROWS).findings.values)
    assert (found.effects, found.tree, found.local) == ((), None, None)


def forged(scratch: Path, **fields: Any) -> None:
    said = json.loads((scratch / EXPLANATION).read_text())
    (scratch / EXPLANATION).write_text(json.dumps(said | fields))


def test_findings_come_over_as_they_are(scratch: Path) -> None:
    _, found = read_findings(scratch, most_rows=ROWS)
    expected = explained(ROWS).findings
    for name in ("rows", "values", "local", "base_values"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("method", "output", "outputs", "features", "sources", "tree", "background"):
        assert getattr(found, name) == getattr(expected, name)
    for one, other in zip(found.effects, expected.effects, strict=True):
        np.testing.assert_array_equal(one.lines, other.lines)


@pytest.mark.parametrize(
    ("lie", "told"),
    {
        "more rows than asked for": ({"rows": ROWS + 1}, "contradicts itself"),
        "no rows": ({"rows": 0}, "contradicts itself"),
        "features without sources": ({"sources": []}, "contradicts itself"),
        "no outputs": ({"outputs": [], "base_values": [], "tree": None}, "contradicts itself"),
        "more opinions than rows": ({"local_rows": ROWS + 1}, "contradicts itself"),
        "fewer rows than written": ({"rows": ROWS - 1}, "does not hold|is larger than"),
        "a base that is no number": ({"base_values": [None, 1, 2]}, "base_values"),
        "a method without end": ({"method": "x" * 300}, "method"),
        "an unknown output": ({"output": "truth"}, "output"),
        "too many values": ({"features": ["x"] * 90_000, "sources": [""] * 90_000}, "more than 50,000,000 values"),
        "an effect without lines": ({"effects": [{"feature": "x", "grid": [1.0], "lines": 0}]}, "lines"),
        "an effect without values": ({"effects": [{"feature": "x", "grid": [], "lines": 1}]}, "grid"),
        "a tree of another model": (
            {"tree": {"nodes": [{"share": 1, "answer": [1.0]}], "fidelity": 1, "rows": 9}},
            "another number of outputs",
        ),
        "a field that there is not": ({"pickle": "gASV"}, "pickle"),
    }.values(),
    ids=lambda each: each if isinstance(each, str) else next(iter(each)),
)
def test_lies_are_told(scratch: Path, lie: dict[str, Any], told: str) -> None:
    if "features" in lie:
        lie |= {"outputs": ["y"] * 10, "base_values": [0.0] * 10, "tree": None}
    forged(scratch, **lie)
    with pytest.raises(AnswerError, match=told):
        read_findings(scratch, most_rows=ROWS)


def test_a_tree_without_an_end_is_refused(scratch: Path) -> None:
    circle = {"feature": "peak_0", "left": 0, "right": 0, "share": 1, "answer": [0, 0, 0]}
    forged(scratch, tree={"nodes": [circle], "fidelity": 1, "rows": 9})
    with pytest.raises(AnswerError, match="the child of one other"):
        read_findings(scratch, most_rows=ROWS)


@pytest.mark.parametrize("field", ["fidelity", "threshold"])
def test_a_tree_with_a_number_that_is_none_is_refused(scratch: Path, field: str) -> None:
    leaf = {"share": 1, "answer": [0, 0, 0]} | ({"threshold": float("nan")} if field == "threshold" else {})
    forged(scratch, tree={"nodes": [leaf], "fidelity": float("inf") if field == "fidelity" else 1, "rows": 9})
    with pytest.raises(AnswerError, match=field):
        read_findings(scratch, most_rows=ROWS)


def test_values_that_are_not_finite_are_refused(scratch: Path) -> None:
    values = np.fromfile(scratch / SHAP_VALUES, dtype="<f4")
    values[3] = np.nan
    values.tofile(scratch / SHAP_VALUES)
    with pytest.raises(AnswerError, match="not finite"):
        read_findings(scratch, most_rows=ROWS)


def test_what_no_database_takes_in_a_name_becomes_a_space(scratch: Path) -> None:
    features = list(explained().findings.features)
    forged(scratch, features=["peak\0first", "back\\u0000slash", *features[2:]])
    _, found = read_findings(scratch, most_rows=ROWS)
    assert found.features[:2] == ("peak first", "back\\u0000slash")


def test_another_s_file_is_not_followed(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes((scratch / SHAP_VALUES).read_bytes())
    (scratch / SHAP_VALUES).unlink()
    (scratch / SHAP_VALUES).symlink_to(tmp_path / "secret")
    with pytest.raises(AnswerError, match="cannot be read"):
        read_findings(scratch, most_rows=ROWS)


# Why there is none --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImpossibleError("The model has 5,000 features."), "The model has 5,000 features."),
        (KeyError("peak"), "The explanation failed: KeyError: 'peak'"),
    ],
    ids=["refused", "failed"],
)
def test_what_goes_wrong_in_the_child_is_a_reason(error: Exception, reason: str, tmp_path: Path) -> None:
    def find(rows: tuple[int, ...], keep: Keep) -> Findings:
        raise error

    write_document(ChosenRows(rows=(1, 2)), tmp_path / CHOSEN)
    write_document(explain_in_child(find, tmp_path, tmp_path), tmp_path / EXPLANATION)
    with pytest.raises(NotExplainedError) as caught:
        read_findings(tmp_path, most_rows=2)
    assert str(caught.value) == reason


def test_a_child_that_is_told_nothing_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark_engine.sandbox.explaining.WAIT_SECONDS", 0.01)
    answer = explain_in_child(find, tmp_path, tmp_path)
    assert answer == ExplainAnswer(
        impossible="The explanation failed: TimeoutError: The engine did not say which rows to explain."
    )


# What is kept -------------------------------------------------------------------------------------------------------


@pytest.fixture
def explaining(tmp_path: Path) -> Callable[[pa.Table], Explaining]:
    """Events that are explained in an order of their own, of a table with a row without a target."""

    def make(table: pa.Table) -> Explaining:
        write_arrow(table, tmp_path / "data.arrow")
        known = np.array([label for label in table["label"].to_pylist() if label is not None])
        data = EvaluationData(source=tmp_path / "data.arrow", features=tmp_path / "data.arrow")
        return Explaining(
            manifest=manifest(classes=("damaged", "intact")),
            ids=data.ids("label"),
            rows=partial(data.rows, target="label"),
            truth=known,
            predictions=Predictions(labels=known, classes=("damaged", "intact")),
            chosen=Chosen(np.arange(ROWS)[::-1].copy(), np.arange(ROWS) % 4 != 0),
        )

    return make


def with_gap(rows: int) -> pa.Table:
    """Impacts, the first of them without a label."""
    table = impacts(rows + 1)
    labels = [None, *table["label"].to_pylist()[1:]]
    return table.set_column(table.column_names.index("label"), "label", pa.array(labels))


def test_events_are_kept_with_their_rows_of_the_dataset(
    scratch: Path, explaining: Callable[[pa.Table], Explaining], tmp_path: Path
) -> None:
    table = with_gap(ROWS)
    summary = explaining(table).taken(scratch, tmp_path)
    kept, events = read(tmp_path / VALUES), parquet.read_table(tmp_path / EVENTS)
    assert kept.ids.tolist() == table["id"].to_pylist()[:0:-1] == events["id"].to_pylist()
    assert kept.truth.tolist() == table["label"].to_pylist()[:0:-1] == events["label"].to_pylist()
    assert events["peak"].to_pylist() == table["peak"].to_pylist()[:0:-1]
    assert (summary.rows, summary.picked_rows, summary.of_rows) == (45, 15, ROWS)


def test_of_events_with_large_signals_the_first_are_kept(
    scratch: Path,
    explaining: Callable[[pa.Table], Explaining],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = with_gap(ROWS).append_column("sound", pa.array([[0.5] * 1_000] * (ROWS + 1), pa.list_(pa.float64())))
    monkeypatch.setattr("benchmark_engine.explanations.MOST_EVENT_BYTES", 100_000)
    explaining(table).taken(scratch, tmp_path)
    events = parquet.read_table(tmp_path / EVENTS)
    assert 5 <= len(events) <= 15
    assert events["id"].to_pylist()[0] == table["id"].to_pylist()[ROWS]
    assert len(read(tmp_path / VALUES)) == ROWS
