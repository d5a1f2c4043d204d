"""The manifest of a bundle: what a model is, needs, and is measured by. Reading it runs nothing."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AwareDatetime,
    FailFast,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from atlas.errors import ManifestError, MetricError, SchemaVersionError
from atlas.limits import ModelLimits
from atlas.metrics import MAX_CLASSES, REGISTRY, Needs, metric, metric_for
from atlas.vocabulary import ColumnSchema, Digest, Document, Label, Name, Outputs, Task, Text

MemberName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$")]
FunctionPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
MetricName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]

PROBLEMS: Mapping[str, str] = {
    "extra_forbidden": "no such field",
    "too_short": "at least {min_length} wanted, not {actual_length}",
    "too_long": "at most {max_length} are allowed",
    "string_too_short": "an empty text",
    "string_too_long": "at most {max_length} characters are allowed",
    "string_type": "a text is wanted, not {given}",
    "tuple_type": "a list is wanted, not {given}",
    "dict_type": "an object is wanted, not {given}",
    "model_type": "an object is wanted, not {given}",
    "json_invalid": "{error}",
    "enum": "{expected} is wanted, not {given}",
}
"""What pydantic finds, in the words of whoever wrote the document."""


def _pattern(annotated: Any) -> str:
    """The pattern of a constrained text."""
    return str(annotated.__metadata__[0].pattern)


PATTERNS: Mapping[str, str] = {
    _pattern(Name): "a name of at most 128 letters, digits, '.', '_' and '-'",
    _pattern(Digest): "a sha256 in lower-case hexadecimal",
    _pattern(MemberName): "a file name of letters, digits, '.', '_', '-' and '/'",
    _pattern(FunctionPath): "module:function",
    _pattern(MetricName): "a name of lower-case letters, digits and '_'",
    _pattern(Address): "an e-mail address",
}

DEFAULT_SLICES = ("car", "environment")
"""The columns by whose values metrics are told apart, where a bundle names no others and the dataset has them."""
MOST_MISSING = 30
"""A message looks for missing fields among this many errors: more are no document that a person wrote."""
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
LABEL_TYPES = frozenset({"bool", "int", "float", "str"})
"""What pydantic appends to the place of a label that is none."""

UPGRADES: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""How a manifest of each older version becomes one of the next; applied step by step."""


class Author(Document):
    """Who made the model and hears of what is wrong with it."""

    name: Text
    email: Address


class Member(Document):
    """One file of the bundle besides the manifest."""

    sha256: Digest
    size_bytes: Annotated[int, Field(ge=0)]


class CustomMetric(Document):
    """A metric that the author ships in `code/`.

    `function` is `module:function`; it is called as `function(truth, prediction)`, where `prediction` is what `needs`
    says: predicted labels (n,), scores (n,) or (n, k), or probabilities (n, k) in the order of the manifest's classes.
    """

    name: MetricName
    function: FunctionPath
    greater_is_better: bool = True
    needs: Needs = Needs.LABELS


class Trial(Document):
    """One combination of parameters that a search tried, and how it did on `rows` rows; or why it gave no score.

    `score` is the mean over the folds, in the metric's own direction, `standard_deviation` that of the folds' scores.
    """

    parameters: dict[str, JsonValue]
    rows: Annotated[int, Field(ge=0)]
    score: float | None = None
    standard_deviation: float | None = None
    problem: str = ""


class SearchRecord(Document):
    """How the model's hyperparameters were searched for, by cross-validation on the data that it was trained on.

    `parameters` and `score` are those of the best trial. Where `groups` names a column, events that share its value
    were never on both sides of a fold.
    """

    method: Text
    metric: Text
    greater_is_better: bool
    folds: Annotated[int, Field(ge=2)]
    groups: Text | None = None
    seed: int
    parameters: dict[str, JsonValue]
    score: float
    trials: Annotated[tuple[Trial, ...], FailFast(), Field(max_length=10_000)]
    timed_out: bool = False


class TrainingRecord(Document):
    """What the model was trained on, and for how long.

    `configuration` is the sha256 of what the training engine was told; `search` how hyperparameters were found.
    """

    query_id: Name
    digest: Digest
    rows: Annotated[int, Field(ge=0)]
    date: AwareDatetime
    duration_seconds: Annotated[float, Field(ge=0)]
    configuration: Digest | None = None
    search: SearchRecord | None = None


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
    """A member that holds a fitted object, and the format that it is written in.

    `outputs` says what the model's numbers mean where its file cannot, as that of a network.
    """

    member: MemberName
    format: Text
    outputs: Outputs | None = None


class Framework(Document):
    """The library that the model is made with."""

    name: Text
    version: Text


def _refuse_repeats(values: Iterable[Label]) -> None:
    repeated = sorted(str(value) for value, count in Counter(values).items() if count > 1)
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is named twice")


class Manifest(Document):
    """Everything that Atlas knows of a model without running it."""

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = 1
    name: Name = Field(description="Unique id, e.g. DamageDetector-1.0.0-1625660010")
    version: Text
    use_case: Text
    task: Task
    author: Author
    tags: Annotated[tuple[Name, ...], FailFast(), Field(min_length=1, max_length=100)]
    target: Text
    input_schema: Annotated[tuple[ColumnSchema, ...], FailFast(), Field(min_length=1, max_length=10_000)]
    classes: Annotated[tuple[Label, ...], FailFast(), Field(max_length=MAX_CLASSES)] = ()
    data_window: DataWindow | None = None
    metrics: Annotated[tuple[Text, ...], FailFast(), Field(min_length=1, max_length=100)]
    custom_metrics: Annotated[tuple[CustomMetric, ...], FailFast(), Field(max_length=100)] = ()
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
    slices: Annotated[tuple[Text, ...], FailFast(), Field(max_length=20)] = DEFAULT_SLICES
    limits: ModelLimits | None = None
    members: dict[MemberName, Member]

    @field_validator("tags", "metrics", "classes", "slices")
    @classmethod
    def _no_repeats(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        _refuse_repeats(values)
        return values

    @field_validator("input_schema", "custom_metrics")
    @classmethod
    def _no_repeated_names(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        _refuse_repeats([value.name for value in values])
        return values

    @model_validator(mode="after")
    def _target_is_no_input(self) -> Self:
        if self.target in {column.name for column in self.input_schema}:
            raise ValueError(f"input_schema: {self.target!r} is the target, which a model must not see")
        return self

    @model_validator(mode="after")
    def _custom_metrics_fit(self) -> Self:
        code = [name.removeprefix("code/") for name in self.members if name.startswith("code/")]
        modules = {name.partition("/")[0].removesuffix(".py") for name in code}
        for custom in self.custom_metrics:
            module = custom.function.partition(":")[0].partition(".")[0]
            if module not in modules:
                raise ValueError(f"custom_metrics: {custom.name!r} is in module {module!r}, which is not in code/")
            if custom.name in REGISTRY:
                raise ValueError(f"custom_metrics: {custom.name!r} is a metric of Atlas; choose another name")
        return self

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
            metric_for(self.task, name)
        except MetricError as error:
            raise ValueError(f"metrics: {error}") from error

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        number = len(self.classes)
        if self.task is Task.REGRESSION and number:
            raise ValueError("classes: a regression model has none")
        if self.task.is_classification and number < 2:
            raise ValueError(
                f"classes: a {self.task} model needs at least two, in the order of predict_proba's columns"
            )
        if self.task is Task.BINARY and number > 2:
            raise ValueError(f"classes: a binary model has two, not {number}; its task may be multiclass")
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
    def pipeline_digest(self) -> str:
        """The sha256 of the pipeline and the code that it may import; empty without one. Bundles that have it in common
        turn the same rows into the same features."""
        if self.pipeline is None:
            return ""
        names = [self.pipeline.member, *sorted(name for name in self.members if name.startswith("code/"))]
        parts = [self.pipeline.format, *(f"{name} {self.members[name].sha256}" for name in names[1:])]
        parts.append(self.members[self.pipeline.member].sha256)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

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
    return manifest_of(_json_object(content))


def manifest_of(document: dict[str, Any]) -> Manifest:
    """The manifest that a parsed JSON document holds, as `parse_manifest`."""
    try:
        return Manifest.model_validate_json(_strict(_upgraded(document)))
    except ValidationError as error:
        raise ManifestError(f"manifest.json: {describe(error)}") from error


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"manifest.json is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ManifestError(f"manifest.json: an object is wanted, not a {type(document).__name__}")
    return document


def _strict(document: dict[str, Any]) -> bytes:
    """The document as strict JSON: Python's reader takes more than databases keep."""
    try:
        text = json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"manifest.json is not strict JSON: {error}") from error
    if NUL.search(text):
        raise ManifestError("manifest.json: a text holds a NUL character; remove it")
    return text


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
    errors = error.errors(include_url=False)
    missing = [_field(detail["loc"]) for detail in errors[:MOST_MISSING] if detail["type"] == "missing"]
    wrong = [detail for detail in errors if detail["type"] != "missing"]
    verb = "this field is" if len(missing) == 1 else "these fields are"
    details = [f"{', '.join(missing)}: {verb} missing"] if missing else []
    details += dict.fromkeys(map(_describe_one, wrong[:most]))
    more = f"; and {len(wrong) - most} more" if len(wrong) > most else ""
    return "; ".join(details) + more


def _describe_one(detail: ErrorDetails) -> str:
    field = _field(detail["loc"])
    text = _problem(detail)
    return _clipped(f"{field}: {text}" if field else text, 500)


def _field(location: tuple[int | str, ...]) -> str:
    """Where in the document, as in `author.email` or `tags[0]`; without pydantic's own marks."""
    parts = [part for part in location if part != "[key]"]
    if parts[-1:] and parts[-1] in LABEL_TYPES:
        parts.pop()
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_clipped(part)}" for part in parts).lstrip(".")


def _problem(detail: ErrorDetails) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if detail["loc"][-1:] and detail["loc"][-1] in LABEL_TYPES:
        return f"a text, a number, true or false is wanted, not {_clipped(repr(given))}"
    if kind in PROBLEMS:
        return PROBLEMS[kind].format(given=_clipped(repr(given)), **context)
    if kind == "string_pattern_mismatch":
        return f"{PATTERNS.get(context['pattern'], 'another form')} is wanted, not {_clipped(repr(given))}"
    return f"{detail['msg']}, not {_clipped(repr(given))}"


def _clipped(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
