"""Classes that a configuration names, and the objects that are made of them."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from inspect import signature
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field, JsonValue, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails

from atlas.formats import requirement
from atlas.vocabulary import Document, Text


class Component(Document):
    """A class that can be imported, and the parameters that it is made with.

    A parameter may be a component itself, or hold some: a mapping with the key `class` is one.
    """

    METHODS: ClassVar[tuple[str, ...]] = ()

    path: str = Field(alias="class", description="Full path of the class, such as sklearn.svm.SVC")
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict, validate_default=True, description="What it is made with; components may be among them"
    )

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
        if "path" in info.data:
            _check_parameters(info.data["path"], parameters)
        check_nested(parameters)
        return parameters

    def build(self) -> Any:
        """A new object of the class, not fitted yet."""
        return find_class(self.path)(**{name: built(value) for name, value in self.parameters.items()})


class Estimator(Component):
    """The model itself."""

    METHODS = ("fit", "predict")

    @property
    def package(self) -> str:
        """The package that its class is imported from."""
        return self.path.partition(".")[0]


class Step(Component):
    """One step of preprocessing, for all columns or for some; the other columns then pass unchanged."""

    METHODS = ("fit", "transform")

    columns: Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        None, description="Columns that it is for; all if not given"
    )


def built(value: JsonValue) -> Any:
    """The value with each component in it built."""
    if isinstance(value, list):
        return [built(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "class" in value:
        return Component.model_validate(value).build()
    return {name: built(each) for name, each in value.items()}


def check_nested(value: JsonValue) -> None:
    """Look at the components within a value.

    Raises:
        ValidationError: some are wrong; each error says where in the value.
    """
    details = list(_wrong(value, ()))
    if details:
        raise ValidationError.from_exception_data("parameters", details)


def _wrong(value: JsonValue, place: tuple[int | str, ...]) -> Iterator[InitErrorDetails]:
    children: Iterable[tuple[int | str, JsonValue]] = ()
    if isinstance(value, dict) and "class" in value:
        try:
            Component.model_validate(value)
        except ValidationError as error:
            yield from located(error, place)
    elif isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        yield from _wrong(child, (*place, key))


def located(error: ValidationError, place: tuple[int | str, ...]) -> Iterator[InitErrorDetails]:
    """The errors of a document that lies at that place of another."""
    for detail in error.errors():
        yield cast(InitErrorDetails, {**detail, "loc": (*place, *detail["loc"])})


# Classes ------------------------------------------------------------------------------------------------------------


def find_class(path: str) -> type:
    """The class of a dotted path, such as `sklearn.svm.SVC`.

    Raises:
        ValueError: there is none; the message says up to where the path holds, and what to install if that helps.
    """
    module, _, name = path.rpartition(".")
    if not module:
        raise ValueError(f"{path!r} is not a full path, such as sklearn.svm.SVC")
    try:
        found = getattr(import_module(module), name)
    except ImportError as error:
        raise ValueError(f"{module} cannot be imported: {_reason(module, error)}") from error
    except AttributeError as error:
        raise ValueError(f"{module} has no {name}") from error
    if not isinstance(found, type):
        raise ValueError(f"{path} is not a class")
    return found


def _reason(module: str, error: ImportError) -> str:
    package = str(error.name).partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or (package == module.partition(".")[0] != error.name):
        return str(error)
    return f"the package {package} is not installed: pip install '{requirement(package)}'"


def _check_parameters(path: str, parameters: dict[str, JsonValue]) -> None:
    try:
        accepted = signature(find_class(path))
    except (TypeError, ValueError):  # a class of compiled code may not tell
        return
    try:
        accepted.bind(**parameters)
    except TypeError as error:
        raise ValueError(f"{path} {error}; it takes {', '.join(accepted.parameters)}") from error
