from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from atlas.errors import ModelError
from atlas.formats import Model
from atlas.vocabulary import Outputs, Task
from tests.atlas.formats.conftest import CLASSES, assert_close
from tests.libraries import needed

pytestmark = pytest.mark.system

Through = Callable[..., Model]


@pytest.fixture(autouse=True)
def onnxruntime() -> Any:
    """The library that runs graphs."""
    return needed("onnxruntime")


@pytest.fixture
def skl2onnx() -> Any:
    """The library that makes graphs of scikit-learn's models."""
    return needed("skl2onnx")


@pytest.mark.parametrize("as_maps", [True, False])
def test_a_classifier_gives_its_labels_and_probabilities(
    skl2onnx: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray, as_maps: bool
) -> None:
    model = LogisticRegression().fit(frame.to_numpy(), np.array(CLASSES)[positions])
    graph = skl2onnx.to_onnx(model, frame.to_numpy("f4")[:1], options={id(model): {"zipmap": as_maps}})
    found = through(graph, "onnx").predict(frame, ())
    assert found.labels.tolist() == model.predict(frame.to_numpy()).tolist()
    assert_close(found.probabilities, model.predict_proba(frame.to_numpy()), atol=1e-5)


def test_scores_that_a_converter_calls_probabilities_are_taken_as_scores(
    skl2onnx: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    model = LinearSVC(random_state=0).fit(frame.to_numpy(), np.array(CLASSES)[positions % 2])
    graph = skl2onnx.to_onnx(model, frame.to_numpy("f4")[:1])
    found = through(graph, "onnx", task=Task.BINARY, classes=CLASSES[:2]).predict(frame, ())
    assert found.probabilities is None
    assert_close(found.scores, model.decision_function(frame.to_numpy()), atol=1e-4)


def test_numbers_are_the_places_of_classes_that_are_texts(
    skl2onnx: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    model = LogisticRegression().fit(frame.to_numpy(), positions)
    graph = skl2onnx.to_onnx(model, frame.to_numpy("f4")[:1], options={id(model): {"zipmap": False}})
    found = through(graph, "onnx").predict(frame, ())
    assert found.labels.tolist() == np.array(CLASSES)[model.predict(frame.to_numpy())].tolist()


def test_a_regressor_gives_its_values(skl2onnx: Any, through: Through, frame: pd.DataFrame, values: np.ndarray) -> None:
    model = RandomForestRegressor(5, random_state=0).fit(frame.to_numpy(), values)
    graph = skl2onnx.to_onnx(model, frame.to_numpy("f4")[:1])
    found = through(graph, "onnx", task=Task.REGRESSION, classes=())
    assert_close(found.predict(frame, ()).labels.ravel(), model.predict(frame.to_numpy()), rtol=1e-5)
    assert found.get_params()["producer"] == "skl2onnx"


def test_a_graph_says_what_goes_in_and_out_and_what_it_is_made_of(
    skl2onnx: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame.to_numpy(), positions)
    graph = skl2onnx.to_onnx(model, frame.to_numpy("f4")[:1], options={"zipmap": False}, target_opset=18)
    graph.metadata_props.add(key="C", value="1.0")
    found = through(graph, "onnx").get_params()
    assert found["inputs"] == {"X": "tensor(float) [?, 4]"}
    assert found["outputs"] == {"label": "tensor(int64) [?]", "probabilities": "tensor(float) [?, 3]"}
    assert found["operators"]["Scaler"] == found["operators"]["LinearClassifier"] == 1
    assert found["nodes"] == len(graph.graph.node) == sum(found["operators"].values())
    assert found["opsets"] == {each.domain or "ai.onnx": each.version for each in graph.opset_import}
    assert found["C"] == "1.0"


def test_a_graph_whose_file_is_gone_says_the_rest(
    skl2onnx: Any, through: Through, tmp_path: Path, frame: pd.DataFrame, values: np.ndarray
) -> None:
    graph = skl2onnx.to_onnx(LinearRegression().fit(frame.to_numpy(), values), frame.to_numpy("f4")[:1])
    found = through(graph, "onnx", task=Task.REGRESSION, classes=())
    (tmp_path / "model.onnx").unlink()
    assert "inputs" in found.get_params()
    assert "operators" not in found.get_params()


def test_a_graph_with_an_input_a_column_gets_each_by_its_name(
    skl2onnx: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    cars = frame[["peak"]].assign(car=np.where(positions == 1, "A1", "B2"))
    columns = ColumnTransformer([("peak", StandardScaler(), ["peak"]), ("car", OneHotEncoder(), ["car"])])
    model = make_pipeline(columns, LogisticRegression()).fit(cars, np.array(CLASSES)[positions])
    inputs = [("peak", FloatTensorType([None, 1])), ("car", StringTensorType([None, 1]))]
    loaded = through(skl2onnx.to_onnx(model, initial_types=inputs), "onnx")
    assert loaded.predict(cars[["car", "peak"]], ()).labels.tolist() == model.predict(cars).tolist()
    with pytest.raises(ModelError, match="an input 'peak', and there is no such column"):
        loaded.predict(cars[["car"]], ())
    with pytest.raises(ModelError, match="2 inputs, by column name"):
        loaded.predict(frame.to_numpy(), ())


def graph(weights: np.ndarray, rows: int | None) -> bytes:
    """A network that multiplies a fixed number of rows, or any, with a matrix."""
    helper, arrays = needed("onnx.helper"), needed("onnx.numpy_helper")
    made = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "network",
        [helper.make_tensor_value_info("x", 1, [rows, weights.shape[0]])],
        [helper.make_tensor_value_info("y", 1, [rows, weights.shape[1]])],
        [arrays.from_array(weights, "w")],
    )
    content: bytes = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    ).SerializeToString()
    return content


@pytest.mark.parametrize("rows", [None, 1, 64, 1_000])
def test_a_network_s_outputs_are_what_the_manifest_says(
    through: Through, frame: pd.DataFrame, rows: int | None
) -> None:
    weights = np.random.default_rng(1).normal(size=(4, 3)).astype("f4")
    found = through(graph(weights, rows), "onnx", outputs=Outputs.LOGITS).predict(frame, ())
    logits = frame.to_numpy("f4") @ weights
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_close(found.probabilities, expected, rtol=1e-5)
    assert found.labels.tolist() == np.array(CLASSES)[logits.argmax(axis=1)].tolist()


def test_a_network_that_nobody_says_anything_of_is_refused_with_what_to_say(through: Through) -> None:
    with pytest.raises(ModelError, match="pack it with outputs='probabilities', 'logits' or 'labels'"):
        through(graph(np.ones((4, 3), "f4"), None), "onnx")


def test_a_network_of_fewer_outputs_than_classes_is_refused(through: Through, frame: pd.DataFrame) -> None:
    loaded = through(graph(np.ones((4, 2), "f4"), None), "onnx", outputs=Outputs.LOGITS)
    with pytest.raises(ModelError, match="2 numbers a row for 3 classes"):
        loaded.predict(frame, ())
