"""Models with rows to explain and a background, as Atlas and as shap take them."""

import math
import time
import warnings
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from atlas.datasets import read_arrow
from atlas.vocabulary import Task
from benchmarks.subjects import TARGET, Prepared, features
from explainability.attribution import Explainer, Subject
from explainability.registry import explainers
from explainability.tables import Table

BACKGROUND_ROWS = 100
"""As many as shap takes of a background by itself."""
PATIENCE_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A classifier, and what it is explained on.

    Attributes:
        estimator: fitted, of scikit-learn or of a boosting library.
        rows: (rows, features) to explain.
        background: (others, features).
        explainer: that Atlas chooses for it.
        method: of the estimator, whose answers are explained.
    """

    estimator: Any
    rows: np.ndarray
    background: np.ndarray
    explainer: Explainer
    method: str = "predict_proba"

    def answer(self, rows: np.ndarray) -> np.ndarray:
        """(rows, outputs) what is explained."""
        return np.asarray(getattr(self.estimator, self.method)(rows)).reshape(len(rows), -1)

    def subject(self) -> Subject:
        """As an explainer of Atlas takes it, with time enough."""
        names = tuple(f"x{number:03}" for number in range(self.rows.shape[1]))
        return Subject(
            estimator=self.estimator,
            features=self.rows,
            background_mean=lambda: self.background.mean(axis=0),
            names=names,
            task=Task.BINARY if len(self.estimator.classes_) == 2 else Task.MULTICLASS,
            classes=tuple(self.estimator.classes_.tolist()),
            table=Table(self.rows, names),
            background=lambda: Table(self.background, names),
            deadline=time.monotonic() + PATIENCE_SECONDS,
        )


@dataclass(frozen=True, slots=True)
class Data:
    """A subject's events: the first ones to train on, then a background, then those to explain."""

    rows: np.ndarray
    labels: np.ndarray

    def of_two_classes(self) -> "Data":
        """The same events, with the classes in two."""
        return Data(self.rows, self.labels % 2)

    def case(self, estimator: Any, *, train: int, explain: int, method: str = "predict_proba") -> Case:
        """An estimator that is fitted to the first events; one of which none are for training is fitted already."""
        if train:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # how good the model is does not matter here
                estimator.fit(self.rows[:train], self.labels[:train])
        first = train + BACKGROUND_ROWS
        return Case(
            estimator=estimator,
            rows=self.rows[first : first + explain],
            background=self.rows[train:first],
            explainer=next(explainers(estimator)),
            method=method,
        )


def data(prepared: Prepared) -> Data:
    """Of a subject's files. Labels are numbers, as mlflow explains no other."""
    table = features(prepared)
    rows = np.column_stack([column.to_numpy() for column in table.columns])
    labels = np.unique(read_arrow(prepared.data)[TARGET].to_pylist(), return_inverse=True)[1]
    return Data(rows, labels)


def model(prepared: Prepared) -> Any:
    """A subject's fitted model, which takes arrays from now on."""
    loaded = joblib.load(prepared.model)
    del loaded.feature_names_in_
    return loaded


def rms(values: np.ndarray) -> float:
    """Root mean square."""
    return math.sqrt(float(np.mean(values**2)))
