"""The formats that a bundle's fitted objects are written in. Loading runs what the file says: only a sandbox may.

The libraries are imported where they are used, so that a manifest can be read without any of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.errors import LoadError, ModelError

TRUSTED_ROOTS = frozenset({"collections", "numpy", "pandas", "scipy", "sklearn"})
"""Packages whose types a skops file may name, besides those that skops itself trusts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a fitted object.

    Attributes:
        name: as it stands in the manifest.
        suffix: of the bundle's member.
        dump: writes an object to a path.
        load: reads it back, given the names of the modules in the bundle's `code/` folder.
    """

    name: str
    suffix: str
    dump: Callable[[Any, Path], None]
    load: Callable[[Path, frozenset[str]], Any]


def _dump_skops(model: Any, path: Path) -> None:
    import skops.io

    skops.io.dump(model, path)


def _load_skops(path: Path, own_modules: frozenset[str]) -> Any:
    """The list of types to trust is ours, never the file's."""
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    refused = [name for name in unknown if name.partition(".")[0] not in TRUSTED_ROOTS | own_modules]
    if refused:
        raise LoadError(
            f"{path.name} names types that Atlas does not load from a skops file: {', '.join(refused)}. "
            "Ship them as modules in code/, or use the format joblib."
        )
    return skops.io.load(path, trusted=unknown)


def _dump_joblib(model: Any, path: Path) -> None:
    import joblib

    joblib.dump(model, path)


def _load_joblib(path: Path, own_modules: frozenset[str]) -> Any:  # noqa: ARG001 - the registry's signature
    import joblib

    return joblib.load(path)


FORMATS: Mapping[str, Format] = {
    known.name: known
    for known in (
        Format(name="skops", suffix="skops", dump=_dump_skops, load=_load_skops),
        Format(name="joblib", suffix="joblib", dump=_dump_joblib, load=_load_joblib),
    )
}


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        ModelError: there is none; the message lists those that there are.
    """
    if name not in FORMATS:
        raise ModelError(f"Unknown model format {name!r}; Atlas reads {', '.join(sorted(FORMATS))}.")
    return FORMATS[name]


def load_file(path: Path, format_name: str, own_modules: frozenset[str] = frozenset()) -> Any:
    """Load the fitted object that a file holds. This runs what the file says.

    Args:
        path: the file.
        format_name: how it is written.
        own_modules: names of modules of the author's own that a skops file may use.

    Raises:
        LoadError: the object cannot be loaded.
        ImportError: it needs a package that is not installed.
        MemoryError: it needs more memory than there is.
    """
    try:
        return format_named(format_name).load(path, own_modules)
    except (LoadError, ImportError, MemoryError):
        raise
    except Exception as error:
        raise LoadError(f"{path.name} could not be loaded: {type(error).__name__}: {error}") from error
