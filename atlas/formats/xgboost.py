"""XGBoost: its own model files, whose objective says what the model gives."""

import json
from collections import ChainMap
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atlas.formats.contract import Attribution, Format, Meaning, Model
from atlas.formats.outputs import is_frame, of_positions, read_outputs, threads
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Outputs

OUTPUTS: Mapping[str, Outputs] = {
    "binary:logistic": Outputs.PROBABILITIES,
    "reg:logistic": Outputs.PROBABILITIES,
    "multi:softprob": Outputs.PROBABILITIES,
    "binary:logitraw": Outputs.LOGITS,
    "multi:softmax": Outputs.LOGITS,
    "binary:hinge": Outputs.LABELS,
}
"""What classifiers of each objective give. That of `multi:softmax` are logits, once they are asked for."""


class XGBoostBooster(Model):
    """A booster."""

    def __init__(self, booster: Any, meaning: Meaning) -> None:
        booster.set_param({"nthread": threads()})
        self._booster = booster
        self._meaning = meaning
        self._learner = json.loads(booster.save_config())["learner"]

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:  # noqa: ARG002 - one call gives all
        """What the objective's predictions mean; with as many trees as training found best, if it looked for that."""
        outputs = self._outputs()
        raw = self._booster.predict(
            self._matrix(features), output_margin=self._objective == "multi:softmax", iteration_range=self._trees()
        )
        if outputs is Outputs.LABELS:
            return Predictions(labels=of_positions(raw, self._meaning), classes=self._meaning.classes)
        return read_outputs(raw, outputs, self._meaning)

    def get_params(self, deep: bool = False) -> Mapping[str, Any]:  # noqa: ARG002 - the signature is scikit-learn's
        """What a model file keeps: the objective, how many trees there are, where training stopped; not how the trees
        were grown, such as their depth and the learning rate, for which a loaded booster has but defaults."""
        booster = self._learner["gradient_booster"]
        trees = booster.get("gbtree", booster).get("gbtree_model_param", {})
        of_objective = (value for value in self._learner["objective"].values() if isinstance(value, dict))
        kept = ChainMap(self._booster.attributes(), *of_objective, trees)
        return {
            "objective": self._objective,
            "booster": booster["name"],
            "rounds": self._booster.num_boosted_rounds(),
            "base_score": _read(self._learner["learner_model_param"]["base_score"]),
            **{name: _read(value) for name, value in kept.items() if name != "scikit_learn"},
        }

    def attribution(self, features: Any) -> Attribution:
        """SHAP values of the margin."""
        matrix, trees = self._matrix(features), self._trees()
        shares = self._booster.predict(matrix, pred_contribs=True, iteration_range=trees)
        shares = np.atleast_3d(np.moveaxis(shares, 1, 2) if shares.ndim == 3 else shares)
        return Attribution(
            method="tree SHAP by XGBoost, path dependent",
            values=shares[:, :-1],
            base_values=shares[0, -1],
            answers=self.margins(features),
        )

    def margins(self, features: Any) -> np.ndarray:
        """What the objective makes its predictions of."""
        found = self._booster.predict(self._matrix(features), output_margin=True, iteration_range=self._trees())
        return np.asarray(found).reshape(len(found), -1)

    @property
    def _objective(self) -> str:
        return str(self._learner["objective"]["name"])

    def _outputs(self) -> Outputs:
        if not self._meaning.task.is_classification:
            return Outputs.VALUES
        return self._meaning.outputs or OUTPUTS.get(self._objective, Outputs.LOGITS)

    def _trees(self) -> tuple[int, int]:
        """All trees, or as many as XGBoost's scikit-learn estimators use after early stopping."""
        best = self._booster.attr("best_iteration") if self._booster.attr("scikit_learn") else None
        return (0, 0 if best is None else int(best) + 1)

    def _matrix(self, features: Any) -> Any:
        import xgboost

        names = None if is_frame(features) else self._booster.feature_names
        return xgboost.DMatrix(features, feature_names=names, enable_categorical=True, nthread=threads())


def _read(text: str) -> Any:
    """A value that XGBoost keeps as text: a number or a list of some, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def dump(model: Any, path: Path) -> None:
    """Write a booster, or the one of an estimator."""
    model.save_model(path)


def load(path: Path, own_modules: frozenset[str]) -> Any:  # noqa: ARG001 - the registry's signature
    """Read a booster; not by its path, whose links XGBoost would follow to a folder that it may not enter."""
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(path.read_bytes()))
    return booster


FORMAT = Format(
    name="xgboost",
    suffixes=("ubj", "json"),
    package="xgboost",
    libraries=("xgboost",),
    requirement="atlas-benchmark[xgboost]",
    dump=dump,
    load=load,
    adapt=XGBoostBooster,
)
