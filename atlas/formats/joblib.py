"""joblib, and with it pickle: any Python object."""

from pathlib import Path
from typing import Any

from atlas.formats.contract import Format
from atlas.formats.estimator import EstimatorModel


def dump(model: Any, path: Path) -> None:
    """Write any object that can be pickled."""
    import joblib

    joblib.dump(model, path)


def load(path: Path, own_modules: frozenset[str]) -> Any:  # noqa: ARG001 - the registry's signature
    """Read what joblib or pickle wrote."""
    import joblib

    return joblib.load(path)


FORMAT = Format(
    name="joblib",
    suffixes=("joblib", "pkl", "pickle"),
    package="joblib",
    libraries=("joblib",),
    requirement="joblib",
    dump=dump,
    load=load,
    adapt=EstimatorModel,
    takes_transformers=True,
)
