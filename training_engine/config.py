"""What to train, as a YAML file: checked before any data is fetched, with errors that name the line and the key."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, cast

import yaml
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails
from sklearn.base import is_classifier, is_regressor

from atlas.errors import MetricError, ModelError
from atlas.formats import format_named
from atlas.manifest import Author, describe
from atlas.metrics import metric_for
from atlas.vocabulary import Document, Name, Task, Text
from training_engine.building import address, build
from training_engine.components import Estimator, Step
from training_engine.errors import ConfigurationError
from training_engine.space import SearchConfiguration, problem_at

ENCODED = frozenset({"xgboost"})
"""Packages whose classifiers take whole numbers from 0 for labels; their own format keeps labels beside."""
NATIVE = frozenset({"xgboost", "lightgbm", "catboost"})
"""Packages whose models are written in a format of the package's name, if the configuration names none."""


class TrainingConfiguration(Document):
    """One model to train: on what, by what, and how it is measured."""

    name: Name = Field(description="Of the family of models; the bundle's name adds version and time")
    version: Text = Field(description="Of the model; write it with two dots, or in quotes: YAML takes 1.0 for a number")
    use_case: Text = Field(description="What the model is for, as the dashboard groups it")
    task: Task = Field(description="`binary`, `multiclass`, `multilabel` or `regression`")
    author: Author = Field(description="`name` and `email`")
    dataset: Name = Field(description="Tag of the dataset whose training split the model learns from")
    tags: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="Tags of the datasets that it is benchmarked on; the one that it learns from if not given"
    )
    target: Text = Field("label", description="The column that it predicts; rows without a value there are left out")
    features: Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        None, description="Columns to learn from; all that hold one number a row if not given"
    )
    exclude: tuple[Text, ...] = Field((), description="Columns that are left out of those")
    pipeline: tuple[Step, ...] = Field((), description="Preprocessing steps, in order")
    model: Estimator = Field(description="The class of the estimator, and its parameters")
    metrics: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(
        description="What is measured; `atlas metrics` lists all names"
    )
    primary_metric: Text | None = Field(None, description="The metric that ranks; the first one if not given")
    seed: int = Field(0, ge=0, lt=2**32, description="Given to all that takes a `random_state` and is given none")
    search: SearchConfiguration | None = Field(None, description="A search for better parameters; none if not given")
    format: str = Field(
        "",
        validate_default=True,
        description="How the model is written; the library's own format for xgboost, lightgbm and catboost, else skops",
    )

    @property
    def benchmark_tags(self) -> tuple[str, ...]:
        """The tags of the datasets that the model is benchmarked on."""
        return self.tags or (self.dataset,)

    @property
    def family(self) -> str:
        """What the names of all bundles of this configuration begin with."""
        return f"{self.name}-{self.version}-"

    @field_validator("features")
    @classmethod
    def _without_target(cls, features: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if features and info.data.get("target") in features:
            raise ValueError(f"{info.data['target']!r} is the target, which a model must not see")
        return features

    @field_validator("exclude")
    @classmethod
    def _one_choice(cls, exclude: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if exclude and info.data.get("features"):
            raise ValueError("give either features or exclude")
        return exclude

    @field_validator("model")
    @classmethod
    def _of_the_task(cls, model: Estimator, info: ValidationInfo) -> Estimator:
        built, task = model.build(), info.data.get("task")
        if not hasattr(built, "__sklearn_tags__") or task is None:
            return model
        if is_regressor(built) if task.is_classification else is_classifier(built):
            raise ValueError(f"{model.path} is not for {task} models")
        return model

    @field_validator("metrics")
    @classmethod
    def _registered(cls, metrics: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "task" in info.data:
            for name in metrics:
                _check_metric(info.data["task"], name)
        return metrics

    @field_validator("primary_metric")
    @classmethod
    def _measured(cls, primary: str | None, info: ValidationInfo) -> str | None:
        if primary and primary not in info.data.get("metrics", (primary,)):
            raise ValueError(f"{primary!r} is not one of metrics")
        return primary

    @field_validator("search")
    @classmethod
    def _searchable(cls, search: SearchConfiguration | None, info: ValidationInfo) -> SearchConfiguration | None:
        if search and search.metric and "task" in info.data:
            try:
                _check_metric(info.data["task"], search.metric)
            except ValueError as error:
                detail = problem_at(("metric",), search.metric, error)
                raise ValidationError.from_exception_data("search", [detail]) from error
        if search and "model" in info.data and "pipeline" in info.data:
            _check_space(search, info.data["pipeline"], info.data["model"])
        return search

    @field_validator("format")
    @classmethod
    def _writable(cls, name: str, info: ValidationInfo) -> str:
        package = info.data["model"].package if "model" in info.data else ""
        name = name or (package if package in NATIVE else "skops")
        if package in ENCODED and name != package:
            raise ValueError(f"a model of {package} is written in the format {package}; leave the key out")
        try:
            return format_named(name).name
        except ModelError as error:
            raise ValueError(str(error)) from error

    @property
    def digest(self) -> str:
        """The sha256 of all that it says: another one may give another model of the same data."""
        said = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def search_metric(self) -> str:
        """What a search makes best."""
        return (self.search and self.search.metric) or self.primary_metric or self.metrics[0]


def _check_space(search: SearchConfiguration, steps: tuple[Step, ...], model: Estimator) -> None:
    """See that each parameter of the space is one of the step or the model."""
    try:
        known = build(steps, model, 0).get_params(deep=True)
    except Exception as error:
        raise ValueError(f"the model cannot be made: {type(error).__name__}: {error}") from error
    wrong = [
        problem_at(("space", key), value, problem)
        for key, value in search.space.items()
        if (problem := _unknown(steps, key, known))
    ]
    if wrong:
        raise ValidationError.from_exception_data("search", wrong)


def _unknown(steps: tuple[Step, ...], key: str, known: dict[str, object]) -> ValueError | None:
    try:
        name = address(steps, key)
    except ValueError as error:
        return error
    if name in known:
        return None
    above = name.rpartition("__")[0] + "__"
    offered = sorted(
        each.removeprefix(above) for each in known if each.startswith(above) and "__" not in each[len(above) :]
    )
    there = f"there are {', '.join(offered)}" if offered else "it has no parameters"
    return ValueError(f"no parameter {key!r}: {there}")


def _check_metric(task: Task, name: str) -> None:
    try:
        metric_for(task, name)
    except MetricError as error:
        raise ValueError(str(error)) from error


# Reading ------------------------------------------------------------------------------------------------------------


def load(path: Path) -> TrainingConfiguration:
    """Read and check a configuration file.

    Raises:
        ConfigurationError: it cannot be read, or something in it is wrong; the message names every such line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {error}") from error
    if tree is None or not isinstance(document, dict):
        raise ConfigurationError(f"{path}: keys and their values are wanted, such as `name: DamageDetector`")
    try:
        return TrainingConfiguration.model_validate(document)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_complaints(path, tree, error))) from error


def _complaints(path: Path, tree: yaml.Node, error: ValidationError) -> Iterator[str]:
    for detail in error.errors():
        one = ValidationError.from_exception_data(error.title, [cast(InitErrorDetails, detail)])
        yield f"{path}, line {_line(tree, detail['loc'])}: {describe(one)}"


def _line(tree: yaml.Node, location: tuple[int | str, ...]) -> int:
    """The line, from 1, of the deepest part of a location that stands in the file."""
    line = tree.start_mark.line + 1
    for part in location:
        if isinstance(tree, yaml.MappingNode):
            entry = next((pair for pair in tree.value if pair[0].value == part), None)
        elif isinstance(tree, yaml.SequenceNode) and isinstance(part, int):
            entry = (tree.value[part], tree.value[part])
        else:
            entry = None
        if entry is None:
            break
        line, tree = entry[0].start_mark.line + 1, entry[1]
    return line
