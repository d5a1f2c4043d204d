import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from atlas.errors import LoadError
from atlas.formats import Meaning, Model, format_named, format_of, load_file
from atlas.metrics import Needs
from atlas.vocabulary import Outputs, Task
from tests.atlas.formats.conftest import CLASSES, assert_close
from tests.libraries import needed

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(autouse=True)
def mlflow() -> Any:
    """The library."""
    needed("mlflow.pyfunc")
    return needed("mlflow.sklearn")


def saved(mlflow: Any, model: Any, folder: Path, **options: Any) -> Path:
    """A folder as MLflow writes it."""
    mlflow.save_model(model, folder, pip_requirements=["scikit-learn"], **options)
    return folder


def loaded(path: Path, **meaning: Any) -> Model:
    said = {"task": Task.MULTICLASS, "classes": CLASSES} | meaning
    return format_named("mlflow").adapt(load_file(path, "mlflow"), Meaning(**said))


def test_a_folder_is_known_by_its_content(mlflow: Any, tmp_path: Path, frame: pd.DataFrame) -> None:
    folder = saved(mlflow, LinearRegression().fit(frame, frame["peak"]), tmp_path / "model")
    assert format_of(folder).name == "mlflow"


@pytest.mark.parametrize("nested", [False, True])
def test_a_classifier_gives_labels_and_probabilities(
    mlflow: Any, tmp_path: Path, frame: pd.DataFrame, positions: np.ndarray, nested: bool
) -> None:
    model = LogisticRegression().fit(frame, np.array(CLASSES)[positions])
    folder = saved(mlflow, model, tmp_path / "zipped" / "model")
    path = shutil.make_archive(str(tmp_path / "model"), "zip", folder.parent if nested else folder)
    found = loaded(Path(path)).predict(frame, {Needs.PROBABILITIES})
    assert found.labels.tolist() == model.predict(frame).tolist()
    assert_close(found.probabilities, model.predict_proba(frame))


def test_what_its_predict_gives_can_be_said_in_the_manifest(
    mlflow: Any, tmp_path: Path, frame: pd.DataFrame, positions: np.ndarray
) -> None:
    model = LogisticRegression().fit(frame, positions)
    folder = saved(mlflow, model, tmp_path / "model", pyfunc_predict_fn="predict_proba")
    found = loaded(folder, outputs=Outputs.PROBABILITIES).predict(frame, {Needs.PROBABILITIES})
    assert_close(found.probabilities, model.predict_proba(frame))
    assert found.labels.tolist() == np.array(CLASSES)[model.predict(frame)].tolist()


def test_a_regressor_gives_its_values_and_its_estimator_s_hyperparameters(
    mlflow: Any, tmp_path: Path, frame: pd.DataFrame, values: np.ndarray
) -> None:
    model = LinearRegression().fit(frame, values)
    found = loaded(saved(mlflow, model, tmp_path / "model"), task=Task.REGRESSION, classes=())
    assert_close(found.predict(frame, ()).labels, model.predict(frame))
    assert found.estimator.get_params() == model.get_params()


def test_a_model_without_an_estimator_says_what_its_description_has(mlflow: Any, tmp_path: Path) -> None:
    class Loud(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # an untyped package
        def predict(self, model_input: list[str]) -> list[str]:
            return model_input

    mlflow.pyfunc.save_model(tmp_path / "model", python_model=Loud(), metadata={"rate": 0.1}, pip_requirements=[])
    found = loaded(tmp_path / "model")
    assert found.estimator is found
    assert (found.get_params()["flavors"], found.get_params()["rate"]) == (["python_function"], 0.1)
    assert "run_id" not in found.get_params()


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path = shutil.make_archive(str(tmp_path / "model"), "zip", tmp_path / "folder")
    with pytest.raises(LoadError, match=r"model\.zip is no model of MLflow: it has no file MLmodel"):
        load_file(Path(path), "mlflow")
