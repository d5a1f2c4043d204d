"""The manifest of a bundle: what a model is, needs, and is measured by. Reading it runs nothing."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AwareDatetime,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from atlas.errors import ManifestError, MetricError, SchemaVersionError
from atlas.metrics import Needs, metric
from atlas.vocabulary import ColumnSchema, Digest, Document, Label, Name, Task, Text

MemberName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$")]
FunctionPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]

UPGRADES: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""How a manifest of each older version becomes one of the next; applied step by step."""


class Author(Document):
    """Who made the model and hears of what is wrong with it."""

    name: Text
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class Member(Document):
    """One file of the bundle besides the manifest."""

    sha256: Digest
    size_bytes: Annotated[int, Field(ge=0)]


class CustomMetric(Document):
    """A metric that the author ships in `code/`.

    `function` is `module:function`; it is called as `function(truth, prediction)`, where `prediction` is what `needs`
    says: predicted labels (n,), scores (n,) or (n, k), or probabilities (n, k) in the order of the manifest's classes.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    function: FunctionPath
    greater_is_better: bool = True
    needs: Needs = Needs.LABELS


class TrainingRecord(Document):
    """What the model was trained on, and for how long."""

    query_id: Name
    digest: Digest
    rows: int
    date: AwareDatetime
    duration_seconds: float


class DataWindow(Document):
    """From when to when the training data was recorded."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start > self.end:
            raise ValueError("start is later than end")
        return self


class Part(Document):
    """A member that holds a fitted object, and the format that it is written in."""

    member: MemberName
    format: Text


class Framework(Document):
    """The library that the model is made with."""

    name: Text
    version: Text


class Manifest(Document):
    """Everything that Atlas knows of a model without running it."""

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = 1
    name: Name = Field(description="Unique id, e.g. DamageDetector-1.0.0-1625660010")
    version: Text
    use_case: Text
    task: Task
    author: Author
    tags: Annotated[tuple[Name, ...], Field(min_length=1)]
    target: Text
    input_schema: Annotated[tuple[ColumnSchema, ...], Field(min_length=1)]
    classes: tuple[Label, ...] = ()
    data_window: DataWindow | None = None
    metrics: Annotated[tuple[Text, ...], Field(min_length=1)]
    custom_metrics: tuple[CustomMetric, ...] = ()
    primary_metric: Text
    hyperparameters: dict[str, JsonValue] = Field(default_factory=dict)
    training: TrainingRecord | None = None
    created: AwareDatetime
    framework: Framework
    python: Text
    libraries: dict[str, str] = Field(default_factory=dict)
    model: Part
    pipeline: Part | None = None
    reference: MemberName | None = None
    members: dict[MemberName, Member]

    @field_validator("tags", "metrics", "classes")
    @classmethod
    def _no_repeats(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        repeated = sorted({str(value) for value in values if values.count(value) > 1})
        if repeated:
            raise ValueError(f"{', '.join(repeated)} is named twice")
        return values

    @model_validator(mode="after")
    def _metrics_fit(self) -> Self:
        own = {custom.name for custom in self.custom_metrics}
        for name in self.metrics:
            if name not in own:
                self._check_registered(name)
        if self.primary_metric not in self.metrics:
            raise ValueError(f"primary_metric: {self.primary_metric!r} is not one of metrics {list(self.metrics)}")
        return self

    def _check_registered(self, name: str) -> None:
        try:
            tasks = metric(name).tasks
        except MetricError as error:
            raise ValueError(f"metrics: {error}") from error
        if self.task not in tasks:
            raise ValueError(f"metrics: {name!r} is not for {self.task} models, but for {', '.join(sorted(tasks))}")

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        if self.task.is_classification and len(self.classes) < 2:
            raise ValueError(f"classes: a {self.task} model needs at least two")
        if self.task is Task.BINARY and len(self.classes) != 2:
            raise ValueError(f"classes: a binary model has two, not {len(self.classes)}")
        return self

    @model_validator(mode="after")
    def _parts_exist(self) -> Self:
        named = [self.model.member, self.pipeline and self.pipeline.member, self.reference]
        for member in named:
            if member and member not in self.members:
                raise ValueError(f"members: {member!r} is not among them")
        return self

    @property
    def needs(self) -> frozenset[Needs]:
        """What the chosen metrics use of the model's answers."""
        own = {custom.name: custom.needs for custom in self.custom_metrics}
        return frozenset(own[name] if name in own else metric(name).needs for name in self.metrics)

    @property
    def metric_specification(self) -> str:
        """What is measured, as canonical text: benchmarks with another specification are other benchmarks."""
        own = {custom.name: custom.model_dump(mode="json") for custom in self.custom_metrics}
        return json.dumps([own.get(name, name) for name in sorted(self.metrics)], sort_keys=True)


def parse_manifest(content: bytes) -> Manifest:
    """The manifest that a JSON document holds, upgraded from an older version if need be.

    Raises:
        SchemaVersionError: a newer Atlas wrote it.
        ManifestError: it is not JSON, or a field is missing, unknown or wrong; the message names every such field.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"manifest.json is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ManifestError(f"manifest.json: an object is wanted, not a {type(document).__name__}")
    try:
        return Manifest.model_validate_json(json.dumps(_upgraded(document)))
    except ValidationError as error:
        raise ManifestError(f"manifest.json: {describe(error)}") from error


def _upgraded(document: dict[str, Any]) -> dict[str, Any]:
    version = document.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ManifestError(f"manifest.json: schema_version: a whole number from 1 is wanted, not {version!r}")
    if version > Manifest.SCHEMA_VERSION:
        raise SchemaVersionError(
            f"manifest.json: schema_version {version} was written by a newer Atlas; this one reads up to "
            f"{Manifest.SCHEMA_VERSION}. Update Atlas, or pack the model with this version."
        )
    for step in range(version, Manifest.SCHEMA_VERSION):
        document = UPGRADES[step](document)
    return document


def describe(error: ValidationError, most: int = 5) -> str:
    """What is wrong with a document, field by field, in one line."""
    details = [_describe_one(detail["loc"], detail["msg"], detail["type"]) for detail in error.errors()]
    more = f"; and {len(details) - most} more" if len(details) > most else ""
    return "; ".join(details[:most]) + more


def _describe_one(location: tuple[int | str, ...], message: str, kind: str) -> str:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    if kind == "missing":
        return f"{field}: this field is missing"
    if kind == "extra_forbidden":
        return f"{field}: no such field"
    text = message.removeprefix("Value error, ")
    return f"{field}: {text}" if field else text
