"""CatBoost: its own model files, which hold the classes and what the model is trained for."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atlas.errors import ModelError
from atlas.formats.contract import Attribution, Format, Meaning, Model
from atlas.formats.outputs import is_frame, of_probabilities, threads
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Task

EXPONENTIAL = ("Poisson", "Tweedie")
"""Losses of regressions whose margin is the logarithm of the value."""


class CatBoostModel(Model):
    """A model."""

    def __init__(self, model: Any, meaning: Meaning) -> None:
        self._model = model
        self._meaning = meaning
        self._order = _order(model, meaning)
        self._chosen: Mapping[str, Any] = model.get_params()

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:  # noqa: ARG002 - one call gives all
        """Probabilities and the classes that follow, or values."""
        if self._meaning.task is Task.REGRESSION:
            return Predictions(labels=self._ask(features, "Exponent" if self._is_exponential() else "RawFormulaVal"))
        return of_probabilities(self._ask(features, "Probability")[:, self._order], self._meaning)

    def get_params(self, deep: bool = False) -> Mapping[str, Any]:  # noqa: ARG002 - the signature is scikit-learn's
        """What the model was trained with; what the author chose is written as it was then."""
        parameters: Mapping[str, Any] = self._model.get_all_params()
        return {name: self._chosen.get(name, value) for name, value in parameters.items()}

    def chosen_params(self) -> Collection[str]:
        """Those that were given to the training, beside the loss that CatBoost's estimators choose themselves."""
        return self._chosen.keys()

    def attribution(self, features: Any) -> Attribution:
        """SHAP values of the margin."""
        import catboost

        categories = self._model.get_cat_feature_indices()
        pool = catboost.Pool(features, cat_features=categories, feature_names=self._model.feature_names_)
        shares = self._model.get_feature_importance(data=pool, type="ShapValues", thread_count=threads())
        shares = np.moveaxis(shares, 1, 2) if shares.ndim == 3 else shares[:, :, None]
        return Attribution(
            method="tree SHAP by CatBoost, path dependent",
            values=self._ordered(shares[:, :-1]),
            base_values=self._ordered(shares[0, -1]),
            answers=self.margins(features),
        )

    def margins(self, features: Any) -> np.ndarray:
        """What the loss makes its predictions of, in the manifest's order."""
        found = self._ask(features, "RawFormulaVal")
        return self._ordered(found.reshape(len(found), -1))

    def _ordered(self, margins: np.ndarray) -> np.ndarray:
        """Margins (..., outputs) in the manifest's order; a single one speaks of the last of two classes."""
        if margins.shape[-1] == len(self._order):
            return margins[..., self._order]
        return -margins if self._order == [1, 0] else margins

    def _ask(self, features: Any, kind: str) -> np.ndarray:
        given = self._unnamed(features)
        return np.asarray(self._model.predict(given, prediction_type=kind, thread_count=threads()))

    def _unnamed(self, features: Any) -> Any:
        """A data frame without names for a model that was trained without any: CatBoost compares them."""
        names = self._model.feature_names_
        has_none = is_frame(features) and names == list(map(str, range(len(names))))
        return features.set_axis(names, axis=1) if has_none else features

    def _is_exponential(self) -> bool:
        return str(self._model.get_all_params().get("loss_function", "")).startswith(EXPONENTIAL)


def _order(model: Any, meaning: Meaning) -> list[int]:
    """Where the manifest's classes are among the model's own, which may be texts of them."""
    places = {str(label): place for place, label in enumerate(np.asarray(model.classes_).tolist())}
    if meaning.task is Task.MULTILABEL or not places:
        return list(range(len(meaning.classes)))
    if set(places) != set(map(str, meaning.classes)):
        raise ModelError(f"The model's classes are {', '.join(places)}, the manifest's {list(meaning.classes)}.")
    return [places[str(label)] for label in meaning.classes]


def dump(model: Any, path: Path) -> None:
    """Write a model."""
    model.save_model(path)


def load(path: Path, own_modules: frozenset[str]) -> Any:  # noqa: ARG001 - the registry's signature
    """Read a model."""
    import catboost

    return catboost.CatBoost().load_model(path)


FORMAT = Format(
    name="catboost",
    suffixes=("cbm",),
    package="catboost",
    libraries=("catboost",),
    requirement="atlas-benchmark[catboost]",
    dump=dump,
    load=load,
    adapt=CatBoostModel,
)
