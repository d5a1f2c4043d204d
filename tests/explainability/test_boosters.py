from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.preprocessing import FunctionTransformer

from atlas.formats import Meaning, format_named
from atlas.vocabulary import Task
from explainability.explained import Findings
from tests.explanations import explained, strengths
from tests.libraries import needed

pytestmark = pytest.mark.system

QUIET: dict[str, Any] = {"verbose": 0, "allow_writing_files": False}
LIBRARIES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "xgboost": (
        lambda library: library.XGBClassifier(n_estimators=20),
        lambda library: library.XGBRegressor(n_estimators=20, objective="reg:squarederror"),
        lambda library: library.XGBRegressor(n_estimators=20, objective="count:poisson"),
    ),
    "lightgbm": (
        lambda library: library.LGBMClassifier(n_estimators=20, verbose=-1),
        lambda library: library.LGBMRegressor(n_estimators=20, verbose=-1),
        lambda library: library.LGBMRegressor(n_estimators=20, objective="poisson", verbose=-1),
    ),
    "catboost": (
        lambda library: library.CatBoostClassifier(n_estimators=20, **QUIET),
        lambda library: library.CatBoostRegressor(n_estimators=20, **QUIET),
        lambda library: library.CatBoostRegressor(n_estimators=20, loss_function="Poisson", **QUIET),
    ),
}
"""Of each library a classifier, a regressor, and one of the value's logarithm."""


@pytest.fixture(params=sorted(LIBRARIES))
def library(request: pytest.FixtureRequest) -> str:
    """The name of each of them."""
    needed(request.param)
    return str(request.param)


@pytest.fixture
def frame() -> pd.DataFrame:
    """Rows of which two columns say everything, and the first most."""
    return pd.DataFrame(np.random.default_rng(0).normal(size=(300, 4)), columns=["peak", "rms", "car", "speed"])


def loudness(frame: pd.DataFrame) -> np.ndarray:
    return (2 * frame["peak"] + frame["rms"]).to_numpy()


def features(findings: Findings) -> list[str]:
    """The names of features, the most important first."""
    order = (-strengths(findings).sum(axis=1)).argsort()
    return [findings.features[place] for place in order]


@pytest.mark.parametrize("edges", [[0], [-1, 1]], ids=["binary", "multiclass"])
def test_a_classifier_is_explained_by_its_margins(library: str, frame: pd.DataFrame, edges: list[int]) -> None:
    model = LIBRARIES[library][0](needed(library)).fit(frame, np.digitize(loudness(frame), edges))
    classes = ("0", "1", "2")[: len(edges) + 1]
    found = explained(model, Task.BINARY if len(edges) == 1 else Task.MULTICLASS, frame, classes=classes)
    assert features(found)[:2] == ["peak", "rms"]
    assert (found.output, len(found.outputs)) == ("margin", 1 if len(edges) == 1 else 3)
    assert found.method.startswith("tree SHAP by")


def test_a_regressor_is_explained_by_its_values(library: str, frame: pd.DataFrame) -> None:
    model = LIBRARIES[library][1](needed(library)).fit(frame, loudness(frame))
    found = explained(model, Task.REGRESSION, frame)
    assert features(found)[:2] == ["peak", "rms"]
    assert found.output == "value"


def test_a_regressor_of_a_logarithm_is_explained_by_that(library: str, frame: pd.DataFrame) -> None:
    model = LIBRARIES[library][2](needed(library)).fit(frame, np.exp(loudness(frame)))
    found = explained(model, Task.REGRESSION, frame)
    assert features(found)[0] == "peak"
    assert found.output == "margin"


def test_a_model_file_is_explained_as_its_estimator_is(library: str, frame: pd.DataFrame, tmp_path: Any) -> None:
    model = LIBRARIES[library][1](needed(library)).fit(frame, loudness(frame))
    known = format_named(library)
    known.dump(model, tmp_path / f"model.{known.suffix}")
    again = known.adapt(known.load(tmp_path / f"model.{known.suffix}", frozenset()), Meaning(task=Task.REGRESSION))
    found, wanted = explained(again, Task.REGRESSION, frame), explained(model, Task.REGRESSION, frame)
    np.testing.assert_allclose(found.values, wanted.values)
    assert found.method == wanted.method


def test_texts_are_explained_by_the_library_that_takes_them(frame: pd.DataFrame) -> None:
    road = np.where(frame["car"] > 0, "wet", "dry")
    table = frame.assign(road=road)
    model = needed("catboost").CatBoostRegressor(n_estimators=20, cat_features=["road"], **QUIET)
    found = explained(model.fit(table, loudness(frame) + 5 * (road == "wet")), Task.REGRESSION, table)
    assert found.method == "tree SHAP by CatBoost, path dependent"
    assert features(found)[0] == "road"
    assert np.isnan(found.rows[:, found.features.index("road")]).all()


def test_zeros_of_sparse_features_are_what_the_library_takes_them_for(frame: pd.DataFrame) -> None:
    table = frame.clip(lower=0)
    sparse_table = FunctionTransformer(lambda rows: sparse.csr_matrix(rows.to_numpy()))
    for library in ("xgboost", "lightgbm"):
        model = LIBRARIES[library][1](needed(library)).fit(sparse_table.transform(table), loudness(table))
        found = explained(model, Task.REGRESSION, table, pipeline=sparse_table)
        assert found.method.startswith("tree SHAP by")
        predicted = model.predict(sparse_table.transform(table.head(len(found.values))))
        np.testing.assert_allclose(found.answers[:, 0], predicted, rtol=1e-3, atol=1e-3)
        assert found.sources == tuple(table.columns)
