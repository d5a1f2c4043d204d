"""skops: scikit-learn's objects, each type of them named, so that unexpected ones are refused."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

from atlas.errors import LoadError
from atlas.formats.contract import Format
from atlas.formats.estimator import EstimatorModel

TRUSTED_ROOTS = frozenset({"collections", "numpy", "pandas", "scipy", "sklearn"})
"""Packages whose types a skops file may name, besides those that skops itself trusts."""
TRUSTED_TYPES = frozenset({"atlas.signals.SignalFeatures"})
"""Types of Atlas that it may name."""

SCHEMA = "schema.json"
ADDRESS = re.compile(r'("__id__": |"file": ")(\d+)')
"""Where skops names a part of an object, or the file of an array, by its address in memory."""


def dump(model: Any, path: Path) -> None:
    """Write any object of scikit-learn; the same object gives the same file."""
    import skops.io

    _rewrite(skops.io.dumps(model), path)


def _rewrite(content: bytes, path: Path) -> None:
    """Write what skops made without what differs each time: it names parts by their addresses, and notes the hour."""
    with zipfile.ZipFile(io.BytesIO(content)) as made, zipfile.ZipFile(path, "w") as file:
        schema = made.read(SCHEMA).decode()
        addresses = dict.fromkeys(found[2] for found in ADDRESS.finditer(schema))
        places = {address: str(place) for place, address in enumerate(addresses, start=1)}
        file.writestr(zipfile.ZipInfo(SCHEMA), ADDRESS.sub(lambda found: found[1] + places[found[2]], schema))
        for name in sorted(set(made.namelist()) - {SCHEMA}, key=lambda name: int(places[name.partition(".")[0]])):
            address, _, suffix = name.partition(".")
            file.writestr(zipfile.ZipInfo(f"{places[address]}.{suffix}"), made.read(name))


def load(path: Path, own_modules: frozenset[str]) -> Any:
    """Read it back. The list of types to trust is ours, never the file's."""
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    refused = [
        name
        for name in unknown
        if name not in TRUSTED_TYPES and name.partition(".")[0] not in TRUSTED_ROOTS | own_modules
    ]
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
