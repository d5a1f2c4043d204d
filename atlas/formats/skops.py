"""skops: scikit-learn's objects, each type of them named, so that unexpected ones are refused."""

from pathlib import Path
from typing import Any

from atlas.errors import LoadError
from atlas.formats.contract import Format
from atlas.formats.estimator import EstimatorModel

TRUSTED_ROOTS = frozenset({"collections", "numpy", "pandas", "scipy", "sklearn"})
"""Packages whose types a skops file may name, besides those that skops itself trusts."""


def dump(model: Any, path: Path) -> None:
    """Write any object of scikit-learn."""
    import skops.io

    skops.io.dump(model, path)


def load(path: Path, own_modules: frozenset[str]) -> Any:
    """Read it back. The list of types to trust is ours, never the file's."""
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    refused = [name for name in unknown if name.partition(".")[0] not in TRUSTED_ROOTS | own_modules]
    if refused:
        raise LoadError(
            f"{path.name} names types that Atlas does not load from a skops file: {', '.join(refused)}. "
            "Ship them as modules in code/, or use the format joblib."
        )
    return skops.io.load(path, trusted=unknown)


FORMAT = Format(
    name="skops",
    suffixes=("skops",),
    package="skops",
    libraries=("skops",),
    requirement="skops",
    dump=dump,
    load=load,
    adapt=EstimatorModel,
    takes_transformers=True,
)
