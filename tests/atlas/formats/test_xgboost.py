from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from atlas.formats import Model
from atlas.vocabulary import Outputs, Task
from tests.atlas.formats.conftest import assert_close
from tests.libraries import needed

pytestmark = pytest.mark.system

Through = Callable[..., Model]
BINARY: dict[str, Any] = {"task": Task.BINARY, "classes": ("dent", "none")}


@pytest.fixture(autouse=True)
def xgboost() -> Any:
    """The library."""
    return needed("xgboost")


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_a_classifier_of_several_classes_gives_labels_and_probabilities(
    xgboost: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray, objective: str
) -> None:
    parameters = {"num_class": 3, "seed": 0}
    booster = xgboost.train({"objective": objective, **parameters}, xgboost.DMatrix(frame, positions), 5)
    probable = xgboost.train({"objective": "multi:softprob", **parameters}, xgboost.DMatrix(frame, positions), 5)
    found = through(booster, "xgboost").predict(frame, ())
    expected = probable.predict(xgboost.DMatrix(frame))
    assert_close(found.probabilities, expected, atol=1e-6)
    assert found.labels.tolist() == np.array(found.classes)[expected.argmax(axis=1)].tolist()


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw", "binary:hinge"])
def test_what_a_binary_booster_gives_follows_from_its_objective(
    xgboost: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray, objective: str
) -> None:
    data = xgboost.DMatrix(frame, (positions > 1).astype(int))
    booster = xgboost.train({"objective": objective}, data, 5)
    found = through(booster, "xgboost", **BINARY).predict(frame, ())
    raw = booster.predict(xgboost.DMatrix(frame))
    assert (found.labels == "none").tolist() == (raw > (0 if objective == "binary:logitraw" else 0.5)).tolist()
    if objective == "binary:logistic":
        assert found.probabilities is not None
        assert_close(found.probabilities[:, 1], raw)
        assert_close(found.probabilities.sum(axis=1), 1)


def test_probabilities_of_an_objective_of_the_author_s_own_are_said_in_the_manifest(
    xgboost: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(frame, positions > 1), 5)
    raw = booster.predict(xgboost.DMatrix(frame))
    found = through(booster, "xgboost", outputs=Outputs.LOGITS, **BINARY).predict(frame, ())
    assert_close(found.scores, raw)
    assert (found.labels == "none").tolist() == (raw > 0).tolist()


def test_an_estimator_stopped_early_predicts_with_its_best_iteration(
    xgboost: Any, through: Through, frame: pd.DataFrame, values: np.ndarray
) -> None:
    model = xgboost.XGBRegressor(n_estimators=50, learning_rate=1.0, early_stopping_rounds=5)
    model.fit(frame[:100], values[:100], eval_set=[(frame[100:], values[100:])], verbose=False)
    assert model.best_iteration < model.get_booster().num_boosted_rounds() - 1
    found = through(model, "xgboost", task=Task.REGRESSION, classes=()).predict(frame, ())
    assert_close(found.labels, model.predict(frame), rtol=1e-6)


def test_a_model_trained_on_an_array_takes_a_data_frame(
    xgboost: Any, through: Through, frame: pd.DataFrame, values: np.ndarray
) -> None:
    model = xgboost.XGBRegressor(n_estimators=5).fit(frame.to_numpy(), values)
    found = through(model, "xgboost", task=Task.REGRESSION, classes=()).predict(frame, ())
    assert_close(found.labels, model.predict(frame.to_numpy()), rtol=1e-6)


def test_categories_are_taken_as_they_are(
    xgboost: Any, through: Through, frame: pd.DataFrame, values: np.ndarray
) -> None:
    cars = frame.assign(car=pd.Categorical(np.where(frame.index % 2, "A1", "B2")))
    model = xgboost.XGBRegressor(n_estimators=5, enable_categorical=True).fit(cars, values)
    found = through(model, "xgboost", task=Task.REGRESSION, classes=()).predict(cars, ())
    assert_close(found.labels, model.predict(cars), rtol=1e-6)


def test_hyperparameters_are_those_that_the_file_keeps(
    xgboost: Any, through: Through, frame: pd.DataFrame, values: np.ndarray
) -> None:
    model = xgboost.XGBRegressor(n_estimators=7, max_depth=2).fit(frame, values)
    found = dict(through(model, "xgboost", task=Task.REGRESSION, classes=()).get_params())
    assert found.pop("base_score")[0] == pytest.approx(values.mean(), rel=1e-5)
    assert found == {
        "objective": "reg:squarederror",
        "booster": "gbtree",
        "rounds": 7,
        "num_parallel_tree": 1,
        "num_trees": 7,
        "scale_pos_weight": 1,
    }


def test_what_training_noted_is_kept_and_what_a_loaded_booster_has_forgotten_is_not_made_up(
    xgboost: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    truth = (positions > 0).astype(int)
    model = xgboost.XGBClassifier(
        booster="dart", n_estimators=9, learning_rate=0.9, early_stopping_rounds=2, scale_pos_weight=3
    )
    model.fit(frame, truth, eval_set=[(frame, 1 - truth)], verbose=False)
    found = through(model, "xgboost", task=Task.BINARY, classes=("dent", "none")).get_params()
    assert (found["booster"], found["scale_pos_weight"]) == ("dart", 3)
    assert found["best_iteration"] == model.best_iteration
    assert "learning_rate" not in found
