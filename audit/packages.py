"""The packages that are locked, by the requirements files, and what they say of their licences."""

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
_CLASSIFIED = "License :: "


def lock_files() -> list[Path]:
    """The requirements files."""
    return sorted(ROOT.glob("requirements*.txt"))


def locked() -> dict[str, str]:
    """The version of each package that any of the files locks; of several, one."""
    return {name.lower(): version for path in lock_files() for name, version in _PINNED.findall(path.read_text())}


def licence_of(name: str) -> str | None:
    """What an installed package says of its licence, in the words that it uses; None if it is not installed."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    return _first(told, "License-Expression") or _classified(told) or _first(told, "License").partition("\n")[0]


def _first(told: metadata.PackageMetadata, key: str) -> str:
    return str((told.get_all(key) or [""])[0]).strip()


def _classified(told: metadata.PackageMetadata) -> str:
    """The licences among the classifiers, without the remark that OSI approved them."""
    classifiers: list[str] = told.get_all("Classifier") or []
    found = [each.rsplit(" :: ", 1)[1] for each in classifiers if each.startswith(_CLASSIFIED)]
    return " AND ".join(each for each in found if each not in ("OSI Approved", "DFSG approved"))


def parts_of(expression: str) -> Iterator[str]:
    """The licences that an expression names."""
    yield from filter(None, (each.strip(" ()") for each in re.split(r" (?:AND|OR) ", expression)))
