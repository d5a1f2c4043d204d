"""Any object with `predict`, as scikit-learn has made it the custom."""

from collections.abc import Collection
from typing import Any

import numpy as np

from atlas.formats.contract import Meaning, Model
from atlas.metrics import Needs, Predictions


class EstimatorModel(Model):
    """An estimator; what it can say besides its prediction is what methods it has."""

    def __init__(self, estimator: Any, meaning: Meaning) -> None:
        self._estimator = estimator
        self._meaning = meaning

    @property
    def estimator(self) -> Any:
        """The estimator itself."""
        return self._estimator

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:
        """What `predict`, `decision_function` and `predict_proba` give."""
        return Predictions(
            labels=np.asarray(self._estimator.predict(features)),
            scores=self._scores(features) if Needs.SCORES in needs else None,
            probabilities=self._probabilities(features) if {Needs.SCORES, Needs.PROBABILITIES} & set(needs) else None,
            classes=self._meaning.classes,
        )

    def _scores(self, features: Any) -> np.ndarray | None:
        if not hasattr(self._estimator, "decision_function"):
            return None
        return np.asarray(self._estimator.decision_function(features), dtype="f8")

    def _probabilities(self, features: Any) -> np.ndarray | None:
        if not hasattr(self._estimator, "predict_proba"):
            return None
        answer = self._estimator.predict_proba(features)
        if isinstance(answer, list):  # a multilabel model of scikit-learn: one array a label
            answer = np.column_stack([column[:, 1] for column in answer])
        return np.asarray(answer, dtype="f8")
