"""What to train, as a YAML file: checked before any data is fetched, with errors that name the line and the key."""

from collections.abc import Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import yaml
from pydantic import Field, JsonValue, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails
from sklearn.base import is_classifier, is_regressor

from atlas.errors import MetricError, ModelError
from atlas.formats import format_named
from atlas.manifest import Author, describe
from atlas.metrics import metric_for
from atlas.vocabulary import Document, Name, Task, Text
from training_engine.errors import ConfigurationError


class Component(Document):
    """A class that can be imported, and the parameters that it is made with."""

    METHODS: ClassVar[tuple[str, ...]]

    path: str = Field(alias="class")
    parameters: dict[str, JsonValue] = Field(default_factory=dict, validate_default=True)

    @field_validator("path")
    @classmethod
    def _usable(cls, path: str) -> str:
        found = find_class(path)
        absent = [method for method in cls.METHODS if not hasattr(found, method)]
        if absent:
            raise ValueError(f"{path} has no method {' and no '.join(absent)}; it cannot be used here")
        return path

    @field_validator("parameters")
    @classmethod
    def _known(cls, parameters: dict[str, JsonValue], info: ValidationInfo) -> dict[str, JsonValue]:
        if "path" not in info.data:
            return parameters
        accepted = signature(find_class(info.data["path"]))
        try:
            accepted.bind(**parameters)
        except TypeError as error:
            raise ValueError(f"{info.data['path']} {error}; it takes {', '.join(accepted.parameters)}") from error
        return parameters

    def build(self) -> Any:
        """A new object of the class, not fitted yet."""
        return find_class(self.path)(**self.parameters)


class Estimator(Component):
    """The model itself."""

    METHODS = ("fit", "predict")


class Step(Component):
    """One step of preprocessing, for all columns or for some; the other columns then pass unchanged."""

    METHODS = ("fit", "transform")

    columns: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None


class TrainingConfiguration(Document):
    """One model to train: on what, by what, and how it is measured."""

    name: Name = Field(description="Of the family of models; the bundle's name adds version and time")
    version: Text
    use_case: Text
    task: Task
    author: Author
    dataset: Name = Field(description="Tag of the dataset whose training split the model learns from")
    tags: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="Tags of the datasets that it is benchmarked on; the one that it learns from if not given"
    )
    target: Text = "label"
    features: Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        None, description="Columns to learn from; all that hold one number a row if not given"
    )
    exclude: tuple[Text, ...] = Field((), description="Columns that are left out of those")
    pipeline: tuple[Step, ...] = ()
    model: Estimator
    metrics: Annotated[tuple[Text, ...], Field(min_length=1)]
    primary_metric: Text | None = Field(None, description="The metric that ranks; the first one if not given")
    seed: int = Field(0, ge=0, lt=2**32)
    format: Text = "skops"

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

    @field_validator("format")
    @classmethod
    def _writable(cls, name: str) -> str:
        try:
            return format_named(name).name
        except ModelError as error:
            raise ValueError(str(error)) from error


def find_class(path: str) -> type:
    """The class of a dotted path, such as `sklearn.svm.SVC`.

    Raises:
        ValueError: there is none; the message says up to where the path holds.
    """
    module, _, name = path.rpartition(".")
    if not module:
        raise ValueError(f"{path!r} is not a full path, such as sklearn.svm.SVC")
    try:
        found = getattr(import_module(module), name)
    except ImportError as error:
        raise ValueError(f"{module} cannot be imported: {error}") from error
    except AttributeError as error:
        raise ValueError(f"{module} has no {name}") from error
    if not isinstance(found, type):
        raise ValueError(f"{path} is not a class")
    return found


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
