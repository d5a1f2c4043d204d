"""Real data to explain models on, and the findings about them as the engine asks for them."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_multilabel_classification
from sklearn.preprocessing import StandardScaler

from atlas.formats import Meaning, Model, format_named
from atlas.vocabulary import Task
from explainability.explained import Findings
from explainability.explaining import explain

ROWS = 40
CLASSES: dict[Task, tuple[Any, ...]] = {
    Task.BINARY: (0, 1),
    Task.MULTICLASS: (0, 1, 2),
    Task.MULTILABEL: ("a", "b", "c"),
    Task.REGRESSION: (),
}


def data(task: Task) -> tuple[pd.DataFrame, np.ndarray]:
    """Scaled features and truth of real data; made-up data for multilabel, since scikit-learn carries none."""
    if task is Task.MULTILABEL:
        features, truth = make_multilabel_classification(150, 8, n_classes=3, random_state=0)
        return frame(features), truth
    load = {Task.BINARY: load_breast_cancer, Task.MULTICLASS: load_wine, Task.REGRESSION: load_diabetes}[task]
    features, truth = load(return_X_y=True)
    shuffled = np.random.default_rng(0).permutation(len(truth))
    return frame(StandardScaler().fit_transform(features)[shuffled]), truth[shuffled]


def frame(features: np.ndarray) -> pd.DataFrame:
    """Features with names that sort as the columns do."""
    return pd.DataFrame(features, columns=[f"x{number:02}" for number in range(features.shape[1])])


def explained(model: Any, task: Task, rows: pd.DataFrame | None = None, **options: Any) -> Findings:
    """Findings about an estimator, or a `Model`, on the first rows of the task's data or on those given.

    Raises:
        ImpossibleError: there are none.
    """
    known = data(task)[0] if rows is None else rows
    defaults = {
        "pipeline": None,
        "rows": known.head(ROWS),
        "background": known,
        "background_kind": "data",
        "classes": CLASSES[task],
        "target": "loudness",
        "seconds": 5.0,
    }
    asked = defaults | options
    meaning = Meaning(task=task, classes=tuple(asked["classes"]))
    adapted = model if isinstance(model, Model) else format_named("joblib").adapt(model, meaning)
    return explain(adapted, task=task, **asked)


def strengths(findings: Findings) -> np.ndarray:
    """(features, outputs) the mean of |values|."""
    return np.asarray(np.abs(findings.values).mean(axis=0, dtype=float))
