"""LightGBM: its own model files, whose objective says what the model gives."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atlas.formats.contract import Attribution, Format, Meaning, Model
from atlas.formats.outputs import read_outputs, threads
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Outputs

PROBABLE = frozenset({"binary", "multiclass", "multiclassova", "cross_entropy"})
"""Objectives whose predictions are probabilities; those of an author's own objective are margins."""

OF_THE_MACHINE = frozenset({"num_threads", "verbosity"})
"""Parameters that say how a training ran, and nothing of the model."""
ROUNDS = 100
"""How many LightGBM trains if it is not told."""


class LightGBMBooster(Model):
    """A booster."""

    def __init__(self, booster: Any, meaning: Meaning) -> None:
        self._booster = booster
        self._meaning = meaning

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:  # noqa: ARG002 - one call gives all
        """What the objective's predictions mean."""
        return read_outputs(self._booster.predict(features, num_threads=threads()), self._outputs(), self._meaning)

    def get_params(self, deep: bool = False) -> Mapping[str, Any]:  # noqa: ARG002 - the signature is scikit-learn's
        """What the booster was trained with."""
        parameters: Mapping[str, Any] = self._booster.params
        return parameters

    def chosen_params(self) -> Collection[str]:
        """Those that are not what a booster has that is trained with defaults alone."""
        defaults = _defaults()
        parameters = self.get_params().items()
        return {name for name, value in parameters if name not in OF_THE_MACHINE and defaults.get(name) != value}

    def attribution(self, features: Any) -> Attribution:
        """SHAP values of the margin."""
        dense = features.toarray() if hasattr(features, "toarray") else features  # else the values would be sparse
        shares = np.asarray(self._booster.predict(dense, pred_contrib=True, num_threads=threads()))
        shares = np.moveaxis(shares.reshape(len(shares), self._booster.num_model_per_iteration(), -1), 1, 2)
        return Attribution(
            method="tree SHAP by LightGBM, path dependent",
            values=shares[:, :-1],
            base_values=shares[0, -1],
            answers=self.margins(features),
        )

    def margins(self, features: Any) -> np.ndarray:
        """What the objective makes its predictions of."""
        found = np.asarray(self._booster.predict(features, raw_score=True, num_threads=threads()))
        return found.reshape(len(found), -1)

    def _outputs(self) -> Outputs:
        if not self._meaning.task.is_classification:
            return Outputs.VALUES
        known = self._booster.params.get("objective") in PROBABLE
        return self._meaning.outputs or (Outputs.PROBABILITIES if known else Outputs.LOGITS)


def _defaults() -> dict[str, Any]:
    """What LightGBM writes into the file of a booster of one tree, by name: it lists its defaults nowhere else."""
    import lightgbm

    numbers = np.arange(100.0)
    smallest = lightgbm.train({"verbose": -1}, lightgbm.Dataset(numbers[:, None], numbers), num_boost_round=1)
    kept: Mapping[str, Any] = lightgbm.Booster(model_str=smallest.model_to_string()).params
    return {**kept, "num_iterations": ROUNDS}


def dump(model: Any, path: Path) -> None:
    """Write a booster, or the one of an estimator."""
    getattr(model, "booster_", model).save_model(path)


def load(path: Path, own_modules: frozenset[str]) -> Any:  # noqa: ARG001 - the registry's signature
    """Read a booster."""
    import lightgbm

    return lightgbm.Booster(model_file=path)


FORMAT = Format(
    name="lightgbm",
    suffixes=("txt",),
    package="lightgbm",
    libraries=("lightgbm",),
    requirement="atlas-benchmark[lightgbm]",
    dump=dump,
    load=load,
    adapt=LightGBMBooster,
)
