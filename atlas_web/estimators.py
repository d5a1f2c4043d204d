"""What can be known of a fitted model from its file's name and its dataset, and what a person writes of it, read."""

import difflib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import JsonValue

from atlas.datasets import NOT_FEATURES, DatasetDescription
from atlas.errors import ManifestError
from atlas.manifest import Framework
from atlas.vocabulary import ColumnSchema, Label, Task

FLOATS = ("float", "double", "halffloat")
INTEGERS = ("int", "uint")


def family_of(file: str) -> str:
    """A name for a family of models, made of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(file).stem).strip("._-")[:64]


def dtype_of(dataset: DatasetDescription, column: str) -> str:
    """The Arrow type of a column; empty if the dataset has no such column."""
    return next((each.dtype for each in dataset.columns if each.name == column), "")


def task_of(dataset: DatasetDescription, target: str) -> Task:
    """What a model of this target most likely predicts."""
    dtype = dtype_of(dataset, target)
    if dtype.startswith("list"):
        return Task.MULTILABEL
    if dtype.startswith(FLOATS):
        return Task.REGRESSION
    return Task.BINARY if len(classes_of(dataset, target)) == 2 else Task.MULTICLASS


def columns_of(dataset: DatasetDescription, target: str) -> list[str]:
    """The columns that a model of this target may read, in the dataset's order."""
    return [each.name for each in dataset.columns if each.name not in NOT_FEATURES | {target}]


def classes_of(dataset: DatasetDescription, target: str) -> tuple[Label, ...]:
    """The classes that the statistics count, in the order in which libraries keep them; none of a continuous target."""
    dtype = dtype_of(dataset, target)
    if dtype.startswith(FLOATS):
        return ()
    return tuple(sorted(label_of(text, dtype) for text in _counted(dataset, target)))


def _counted(dataset: DatasetDescription, target: str) -> Iterable[str]:
    if target == dataset.target:
        return dataset.statistics.labels
    summary = next((each for each in dataset.statistics.columns if each.name == target), None)
    return (summary.values if summary else None) or ()


def label_of(text: str, dtype: str) -> Label:
    """A class as a column of this type holds it.

    Raises:
        ValueError: the column cannot hold it.
    """
    if dtype == "bool":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false.")
        return text.lower() == "true"
    if dtype.startswith(INTEGERS):
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{text!r} is no whole number, as the target's column holds them.") from None
    return text


def schema_of(dataset: DatasetDescription, names: Iterable[str], target: str) -> tuple[ColumnSchema, ...]:
    """The columns of these names.

    Raises:
        ValueError: one is missing from the dataset, or is the target.
    """
    known = {each.name: each for each in dataset.columns}
    chosen = list(names)
    if target in chosen:
        raise ValueError(f"{target} is the target, which a model must not see.")
    for name in chosen:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {nearest[0]}?" if nearest else ""
            raise ValueError(f"{dataset.tag} v{dataset.number} has no column {name}.{hint}")
    return tuple(known[name] for name in chosen)


def lines_of(text: str) -> list[str]:
    """The lines of a text that have something in them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def hyperparameters_of(text: str) -> dict[str, JsonValue]:
    """Hyperparameters that are written as `name = value`, one a line; a value is JSON, or else a text.

    Raises:
        ValueError: a line is no such thing.
    """
    found: dict[str, JsonValue] = {}
    for line in lines_of(text):
        name, sign, value = (part.strip() for part in line.partition("="))
        if not (name and sign and value):
            raise ValueError(f"{line!r}: write name = value, such as max_depth = 5.")
        if name in found:
            raise ValueError(f"{name} stands there twice.")
        found[name] = _value(value)
    return found


def _value(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return text
    return value


def framework_of(text: str) -> Framework | None:
    """A library and its version, as in `scikit-learn 1.7.2`; None for an empty text.

    Raises:
        ValueError: one of them is missing.
    """
    if not text:
        return None
    words = text.split()
    if len(words) != 2:
        raise ValueError("Write the library and its version, such as scikit-learn 1.7.2.")
    return Framework(name=words[0], version=words[1])


def fields_of(error: ManifestError, names: Iterable[str]) -> list[tuple[str | None, str]]:
    """What a manifest complains of, by the field of a form that it is about; None where it is about no such field."""
    known = set(names)
    told = str(error).removeprefix("pack: ").removeprefix("manifest.json: ")
    found: list[tuple[str | None, str]] = []
    for each in told.split("; "):
        place, colon, problem = each.partition(": ")
        field = re.split(r"[.\[]", place)[0]
        found.append((field, problem) if colon and field in known else (None, each))
    return found
