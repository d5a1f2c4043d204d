from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from atlas.errors import ModelError
from atlas.formats import Model
from atlas.vocabulary import Task
from tests.atlas.formats.conftest import CLASSES, assert_close
from tests.libraries import needed

pytestmark = pytest.mark.system

Through = Callable[..., Model]
QUIET: dict[str, Any] = {"iterations": 5, "verbose": 0, "allow_writing_files": False}


@pytest.fixture(autouse=True)
def catboost() -> Any:
    """The library."""
    return needed("catboost")


@pytest.mark.parametrize("classes", [CLASSES, CLASSES[::-1]], ids=["the model's order", "another order"])
def test_probabilities_are_in_the_order_of_the_manifest(
    catboost: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray, classes: tuple[str, ...]
) -> None:
    model = catboost.CatBoostClassifier(**QUIET).fit(frame, np.array(CLASSES)[positions])
    found = through(model, "catboost", classes=classes).predict(frame, ())
    order = [model.classes_.tolist().index(label) for label in classes]
    assert_close(found.probabilities, model.predict_proba(frame)[:, order])
    assert found.labels.tolist() == model.predict(frame).ravel().tolist()


def test_classes_of_another_model_are_refused(
    catboost: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    model = catboost.CatBoostClassifier(**QUIET).fit(frame, positions)
    with pytest.raises(ModelError, match="classes are 0, 1, 2, the manifest's"):
        through(model, "catboost")


@pytest.mark.parametrize("loss", ["RMSE", "Poisson"])
def test_a_regressor_gives_its_estimator_s_values(
    catboost: Any, through: Through, frame: pd.DataFrame, values: np.ndarray, loss: str
) -> None:
    model = catboost.CatBoostRegressor(loss_function=loss, **QUIET).fit(frame, values)
    found = through(model, "catboost", task=Task.REGRESSION, classes=())
    assert_close(found.predict(frame, ()).labels, model.predict(frame))
    assert found.get_params()["loss_function"].startswith(loss)


def test_parameters_that_were_given_to_the_training_are_known_by_their_first_names(
    catboost: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    model = catboost.CatBoostClassifier(**QUIET | {"max_depth": 3, "eta": 0.1}).fit(frame, np.array(CLASSES)[positions])
    found = through(model, "catboost")
    chosen = set(found.chosen_params() or ())
    assert {"depth", "learning_rate", "iterations"} <= chosen
    assert "l2_leaf_reg" not in chosen
    assert (found.get_params()["depth"], found.get_params()["learning_rate"]) == (3, 0.1)
    assert "l2_leaf_reg" in found.get_params()


def test_a_model_of_several_labels_gives_each(catboost: Any, through: Through, frame: pd.DataFrame) -> None:
    truth = np.column_stack([frame["peak"] > 0, frame["rms"] > 0]).astype(int)
    model = catboost.CatBoostClassifier(loss_function="MultiLogloss", **QUIET).fit(frame, truth)
    found = through(model, "catboost", task=Task.MULTILABEL, classes=("hit", "scratch")).predict(frame, ())
    np.testing.assert_array_equal(found.labels, model.predict(frame))
    assert_close(found.probabilities, model.predict_proba(frame))


def test_texts_are_taken_as_categories(
    catboost: Any, through: Through, frame: pd.DataFrame, values: np.ndarray
) -> None:
    cars = frame.assign(car=np.where(frame.index % 2, "A1", "B2"))
    model = catboost.CatBoostRegressor(cat_features=["car"], **QUIET).fit(cars, values)
    found = through(model, "catboost", task=Task.REGRESSION, classes=()).predict(cars, ())
    assert_close(found.labels, model.predict(cars))


def test_a_model_trained_on_an_array_takes_a_data_frame(
    catboost: Any, through: Through, frame: pd.DataFrame, values: np.ndarray
) -> None:
    model = catboost.CatBoostRegressor(**QUIET).fit(frame.to_numpy(), values)
    found = through(model, "catboost", task=Task.REGRESSION, classes=()).predict(frame, ())
    assert_close(found.labels, model.predict(frame.to_numpy()))
