"""Finding a format by its name or by a file's suffix: Atlas' own, and those of other packages.

A package adds a format by an entry point in the group `atlas.formats` that names a `Format`.
"""

from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError, LoadError, MissingPackageError, ModelError
from atlas.formats.contract import Format

PLUGINS = "atlas.formats"
"""The entry point group by which other packages add formats: each names a `Format`."""
OWN = ("skops", "joblib", "onnx", "xgboost", "lightgbm", "catboost", "torch", "mlflow")
"""Each is the name of a format, and of the module here that holds it."""


def format_names() -> tuple[str, ...]:
    """The names of all formats that can be read here."""
    return tuple(sorted({*OWN, *(plugin.name for plugin in metadata.entry_points(group=PLUGINS))}))


def format_named(name: str) -> Format:
    """The format of that name. A format of Atlas cannot be replaced.

    Raises:
        ModelError: there is none, or the package that has it is broken; the message says what there is.
    """
    if name in OWN:
        found: Format = import_module(f"atlas.formats.{name}").FORMAT
        return found
    for plugin in metadata.entry_points(group=PLUGINS, name=name):
        return _of_plugin(plugin)
    raise ModelError(f"Unknown model format {name!r}; Atlas reads {', '.join(format_names())}.")


def _of_plugin(plugin: metadata.EntryPoint) -> Format:
    try:
        found = plugin.load()
    except Exception as error:  # process boundary: other people's package may raise anything
        raise ModelError(f"The format {plugin.name!r} ({plugin.value}) cannot be loaded: {error}") from error
    if not isinstance(found, Format):
        raise ModelError(f"The format {plugin.name!r} ({plugin.value}) is no atlas.formats.Format.")
    return found


def format_of(path: Path) -> Format:
    """The format whose suffix a file has. A folder with an MLmodel file is one of MLflow.

    Raises:
        ModelError: no format has it.
    """
    if (path / "MLmodel").is_file():
        return format_named("mlflow")
    known = [format_named(name) for name in format_names()]
    for candidate in known:
        if path.suffix.removeprefix(".") in candidate.suffixes:
            return candidate
    wanted = sorted(f".{suffix}" for candidate in known for suffix in candidate.suffixes)
    raise ModelError(f"{path.name}: a file that ends in {', '.join(wanted[:-1])} or {wanted[-1]} is wanted.")


def load_file(path: Path, format_name: str, own_modules: frozenset[str] = frozenset()) -> Any:
    """Load the fitted object that a file holds. This runs what the file says.

    Args:
        path: the file.
        format_name: how it is written.
        own_modules: names of modules of the author's own that a skops file may use.

    Raises:
        MissingPackageError: the format's library is not installed; the message says how to install it.
        LoadError: the object cannot be loaded.
        ImportError: it needs another package that is not installed.
        MemoryError: it needs more memory than there is.
    """
    chosen = format_named(format_name)
    if find_spec(chosen.package) is None:
        raise MissingPackageError(
            f"{path.name} is a file of the format {chosen.name}, and {chosen.package} is not installed here: "
            f"pip install '{chosen.requirement}'"
        )
    try:
        return chosen.load(path, own_modules)
    except (AtlasError, ImportError, MemoryError):
        raise
    except Exception as error:
        raise LoadError(f"{path.name} could not be loaded: {type(error).__name__}: {error}") from error


def requirement(package: str) -> str:
    """What to give `pip install` for a Python package that a model needs."""
    found = (format_named(name) for name in OWN)
    return next((known.requirement for known in found if known.package == package), package)
