"""What `atlas pack` is told about a model, by a file and by options, and packing it accordingly."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, JsonValue, ValidationError

from atlas.errors import ManifestError
from atlas.limits import ModelLimits
from atlas.manifest import DEFAULT_SLICES, Author, CustomMetric, DataWindow, TrainingRecord, describe
from atlas.metrics import default_metrics
from atlas.vocabulary import Document, Label, Outputs, Task, Text

PATHS = ("model", "pipeline", "example", "reference")
"""Fields that name one file; `code` names several."""


def _author(value: object) -> object:
    """An author written as in an e-mail, `Ada Lovelace <ada@example.com>`, as its two fields."""
    if not isinstance(value, str):
        return value
    name, _, address = value.partition("<")
    return {"name": name.strip(), "email": address.strip().removesuffix(">")}


class Recipe(Document):
    """A fitted model in a file, and what a manifest says of it.

    The files of `model` and `pipeline` are in a format of `atlas.formats`; `example` and `reference` are tables of raw
    rows as CSV or Parquet.
    """

    model: Path
    format: str | None = None
    outputs: Outputs | None = None
    name: Text
    version: Text
    use_case: Text
    task: Task
    author: Annotated[Author, BeforeValidator(_author)]
    tags: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    primary_metric: str | None = None
    custom_metrics: tuple[CustomMetric, ...] = ()
    target: Text = "label"
    classes: tuple[Label, ...] | None = None
    example: Path
    pipeline: Path | None = None
    code: tuple[Path, ...] = ()
    reference: Path | None = None
    slices: tuple[str, ...] = DEFAULT_SLICES
    hyperparameters: dict[str, JsonValue] | None = None
    training: TrainingRecord | None = None
    data_window: DataWindow | None = None
    limits: ModelLimits | None = None


def read_recipe(config: Path | None, options: Mapping[str, Any]) -> Recipe:
    """The recipe that a YAML or JSON file and options give; an option that is not None wins over the file.

    Paths in the file are relative to the file's folder.

    Raises:
        ManifestError: the file is not YAML, or a field is missing, unknown or wrong; the message names each.
    """
    fields = {} if config is None else _read_config(config)
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Recipe.model_validate({**fields, **given})
    except ValidationError as error:
        where = f"{config.name} and the options" if config else "the options"
        raise ManifestError(f"pack: {where}: {describe(error)}") from error


def _read_config(config: Path) -> dict[str, Any]:
    try:
        fields = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ManifestError(f"{config.name} is neither YAML nor JSON: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict):
        raise ManifestError(f"{config.name}: fields with their values are wanted, not a {type(fields).__name__}")
    for name in PATHS:
        if isinstance(fields.get(name), str):
            fields[name] = config.parent / fields[name]
    if isinstance(fields.get("code"), list):
        fields["code"] = [config.parent / str(name) for name in fields["code"]]
    return fields


def pack_recipe(recipe: Recipe, destination: Path) -> Path:
    """Write the bundle and return its path. This loads the model's file, which runs what that file says.

    Raises:
        ManifestError: a field is wrong, or a table cannot be read.
        ModelError: a model's file is missing, or cannot be loaded.
    """
    from atlas.bundle import pack

    with _importable(recipe.code):
        return pack(
            recipe.model,
            destination,
            pipeline=recipe.pipeline,
            format=recipe.format,
            outputs=recipe.outputs,
            example=_read_table("example", recipe.example),
            reference=None if recipe.reference is None else _read_table("reference", recipe.reference),
            name=recipe.name,
            version=recipe.version,
            use_case=recipe.use_case,
            task=recipe.task,
            author=recipe.author,
            tags=recipe.tags,
            metrics=recipe.metrics or default_metrics(recipe.task),
            primary_metric=recipe.primary_metric,
            custom_metrics=recipe.custom_metrics,
            target=recipe.target,
            classes=recipe.classes,
            code=recipe.code,
            slices=recipe.slices,
            hyperparameters=recipe.hyperparameters,
            training=recipe.training,
            data_window=recipe.data_window,
            limits=recipe.limits,
        )


@contextmanager
def _importable(code: Iterable[Path]) -> Iterator[None]:
    """Let fitted objects find the author's own modules while they are loaded and written."""
    folders = list(dict.fromkeys(str(path.resolve().parent) for path in code))
    sys.path[:0] = folders
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(folder)


def _read_table(field: str, path: Path) -> Any:
    """A CSV or Parquet file as a data frame."""
    import pandas as pd

    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ManifestError(f"pack: {field}: {path} cannot be read as CSV or Parquet: {error}") from error
