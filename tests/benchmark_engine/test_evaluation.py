"""Which rows and columns a model is given, and what is kept from it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from atlas.datasets import arrow_writer, read_arrow, write_arrow
from atlas.errors import DatasetError
from benchmark_engine.evaluation import EvaluationData, features_name, write_features
from tests.samples import manifest

TABLE = pa.table(
    {
        "id": ["a", "b", "c", "d"],
        "rms": [1.0, 2.0, 3.0, 4.0],
        "label": ["intact", None, "damaged", "intact"],
        "car": ["one", "one", "two", None],
        "peak": [5.0, 6.0, 7.0, 8.0],
    }
)


@pytest.fixture
def data(tmp_path: Path) -> EvaluationData:
    source = tmp_path / "source.arrow"
    with arrow_writer(source, TABLE.schema) as writer:
        for start in (0, 2):
            writer.write_table(TABLE.slice(start, 2))
    write_features(source, tmp_path / "features.arrow", manifest())
    return EvaluationData(source=source, features=tmp_path / "features.arrow")


def test_a_model_is_given_its_columns_of_the_rows_that_have_a_target(data: EvaluationData) -> None:
    assert read_arrow(data.features).to_pydict() == {"rms": [1.0, 3.0, 4.0], "peak": [5.0, 7.0, 8.0]}


def test_truth_ids_and_columns_are_of_the_same_rows(data: EvaluationData) -> None:
    assert data.truth(manifest()).tolist() == ["intact", "damaged", "intact"]
    assert data.ids("label").to_pylist() == ["a", "c", "d"]
    found = data.columns(["car", "environment"], "label")
    assert {name: column.to_pylist() for name, column in found.items()} == {"car": ["one", "two", None]}


def test_events_without_ids_are_numbered(tmp_path: Path) -> None:
    write_arrow(TABLE.drop(["id"]), tmp_path / "source.arrow")
    data = EvaluationData(source=tmp_path / "source.arrow", features=tmp_path / "features.arrow")
    assert data.ids("label").to_pylist() == [0, 1, 2]


def test_models_with_the_same_columns_and_target_share_a_file() -> None:
    turned = manifest(input_schema=tuple(reversed(manifest().input_schema)), name="Another-1.0.0-1")
    other = manifest(target="damage")
    fewer = manifest(input_schema=manifest().input_schema[:1])
    names = [features_name("a" * 64, each) for each in (manifest(), turned, other, fewer)]
    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert features_name("b" * 64, manifest()) != names[0]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.drop(["peak", "label"]), "no column label, peak"),
        (TABLE.set_column(2, "label", pa.nulls(4, pa.string())), "No evaluation row has a label"),
    ],
)
def test_a_table_that_lacks_what_is_needed_is_refused(table: pa.Table, message: str, tmp_path: Path) -> None:
    write_arrow(table, tmp_path / "source.arrow")
    with pytest.raises(DatasetError, match=message):
        write_features(tmp_path / "source.arrow", tmp_path / "features.arrow", manifest())


def test_labels_of_a_multilabel_model_are_zeros_and_ones(tmp_path: Path) -> None:
    labels = pa.array([["intact"], [], ["damaged", "intact"], None])
    write_arrow(TABLE.set_column(2, "label", labels), tmp_path / "source.arrow")
    data = EvaluationData(source=tmp_path / "source.arrow", features=tmp_path)
    model = manifest(task="multilabel", metrics=("f1_macro",), primary_metric="f1_macro")
    np.testing.assert_array_equal(data.truth(model), [[1, 0], [0, 0], [1, 1]])
