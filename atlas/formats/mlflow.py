"""MLflow: a zipped model folder of any flavour, used through MLflow's own `pyfunc`."""

import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atlas.errors import LoadError, ModelError
from atlas.formats.contract import Format, Meaning, Model
from atlas.formats.estimator import EstimatorModel
from atlas.formats.outputs import read_outputs
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Outputs

DESCRIPTION = "MLmodel"
"""The file that a folder of MLflow has at its root."""


class MLflowModel(Model):
    """A model of MLflow. Where it wraps an estimator with probabilities, they are asked of that."""

    def __init__(self, model: Any, meaning: Meaning) -> None:
        self._model = model
        self._meaning = meaning
        self._inner = EstimatorModel(_inner(model), meaning)

    @property
    def estimator(self) -> Any:
        """The estimator that it wraps, if it has hyperparameters."""
        return self._inner.estimator if hasattr(self._inner.estimator, "get_params") else self

    def get_params(self, deep: bool = False) -> Mapping[str, Any]:  # noqa: ARG002 - the signature is scikit-learn's
        """Of what flavours it is, from which run, and what its author wrote into its description."""
        described = self._model.metadata
        flavour = described.flavors.get("python_function", {}).get("loader_module", "")
        said = {
            "flavors": sorted(described.flavors),
            "loader_module": flavour,
            "mlflow_version": described.mlflow_version,
            "run_id": described.run_id,
            **(described.metadata or {}),
        }
        return {name: value for name, value in said.items() if value}

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:
        """What its `predict` gives."""
        if self._meaning.outputs is None and hasattr(self._inner.estimator, "predict_proba"):
            return self._inner.predict(features, needs)
        outputs = Outputs.LABELS if self._meaning.task.is_classification else Outputs.VALUES
        return read_outputs(np.asarray(self._model.predict(features)), self._meaning.outputs or outputs, self._meaning)


def _inner(model: Any) -> Any:
    """What the model wraps: None for a flavour that does not say."""
    try:
        return model.get_raw_model()
    except NotImplementedError:
        return None


def dump(model: Any, path: Path) -> None:  # noqa: ARG001 - the registry's signature
    """MLflow has a function of its own for each library."""
    raise ModelError("save it by MLflow, as with mlflow.sklearn.save_model, and pack the path of that folder")


def load(path: Path, own_modules: frozenset[str]) -> Any:  # noqa: ARG001 - the registry's signature
    """Read a folder, or a zip of one: its files may lie at the root, or in one folder."""
    import mlflow.pyfunc

    if path.is_dir():
        return mlflow.pyfunc.load_model(str(path))
    with zipfile.ZipFile(path) as archive:
        found = sorted((name for name in map(Path, archive.namelist()) if name.name == DESCRIPTION), key=_depth)
        if not found:
            raise LoadError(f"{path.name} is no model of MLflow: it has no file {DESCRIPTION}.")
        folder = Path(tempfile.mkdtemp(prefix="mlflow-"))
        archive.extractall(folder)
    model = mlflow.pyfunc.load_model(str(folder / found[0].parent))
    weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)  # a model may read its files when it predicts
    return model


def _depth(path: Path) -> int:
    return len(path.parts)


FORMAT = Format(
    name="mlflow",
    suffixes=("zip",),
    package="mlflow",
    libraries=("mlflow-skinny",),
    requirement="atlas-benchmark[mlflow]",
    dump=dump,
    load=load,
    adapt=MLflowModel,
)
