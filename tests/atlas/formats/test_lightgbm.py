from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from atlas.formats import Model
from atlas.vocabulary import Task
from tests.atlas.formats.conftest import CLASSES, assert_close
from tests.libraries import needed

pytestmark = pytest.mark.system

Through = Callable[..., Model]


@pytest.fixture(autouse=True)
def lightgbm() -> Any:
    """The library."""
    return needed("lightgbm")


def test_a_classifier_gives_its_estimator_s_labels_and_probabilities(
    lightgbm: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(frame, np.array(CLASSES)[positions])
    found = through(model, "lightgbm").predict(frame, ())
    assert_close(found.probabilities, model.predict_proba(frame))
    assert found.labels.tolist() == model.predict(frame).tolist()


def test_the_one_number_of_a_binary_booster_is_of_the_last_class(
    lightgbm: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    data = lightgbm.Dataset(frame, (positions > 0).astype(int))
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, data, 5)
    found = through(booster, "lightgbm", task=Task.BINARY, classes=("dent", "none")).predict(frame, ())
    assert found.probabilities is not None
    assert_close(found.probabilities[:, 1], booster.predict(frame))
    assert (found.labels == "none").tolist() == (booster.predict(frame) > 0.5).tolist()


def test_margins_of_an_objective_of_the_author_s_own_become_probabilities(
    lightgbm: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    def objective(predicted: np.ndarray, data: Any) -> tuple[np.ndarray, np.ndarray]:
        probability = 1 / (1 + np.exp(-predicted))
        return probability - data.get_label(), probability * (1 - probability)

    data = lightgbm.Dataset(frame, (positions > 0).astype(int))
    booster = lightgbm.train({"objective": objective, "verbose": -1}, data, 5)
    found = through(booster, "lightgbm", task=Task.BINARY, classes=("dent", "none")).predict(frame, ())
    assert_close(found.scores, booster.predict(frame))
    assert (found.labels == "none").tolist() == (booster.predict(frame) > 0).tolist()


@pytest.mark.parametrize("objective", ["regression", "poisson"])
def test_a_regressor_gives_its_estimator_s_values(
    lightgbm: Any, through: Through, frame: pd.DataFrame, values: np.ndarray, objective: str
) -> None:
    model = lightgbm.LGBMRegressor(n_estimators=5, objective=objective, verbose=-1).fit(frame, values)
    found = through(model, "lightgbm", task=Task.REGRESSION, classes=())
    assert_close(found.predict(frame, ()).labels, model.predict(frame))
    assert (found.get_params()["objective"], found.get_params()["num_iterations"]) == (objective, 5)


def test_parameters_that_are_not_the_defaults_are_known(
    lightgbm: Any, through: Through, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    model = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=7, n_jobs=1, subsample=0.5).fit(frame, positions)
    found = through(model, "lightgbm").chosen_params()
    assert found == {"objective", "metric", "num_class", "num_iterations", "num_leaves", "bagging_fraction"}


def test_a_booster_of_defaults_has_chosen_nothing(
    lightgbm: Any, through: Through, frame: pd.DataFrame, values: np.ndarray
) -> None:
    model = lightgbm.LGBMRegressor(verbose=-1).fit(frame, values)
    assert through(model, "lightgbm", task=Task.REGRESSION, classes=()).chosen_params() == set()
