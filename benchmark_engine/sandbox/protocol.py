"""What the engine and the sandboxed child say to each other, and the files that they say it in."""

import os
import re
import stat
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
from pydantic import Field, FiniteFloat, JsonValue, StringConstraints, ValidationError

from atlas.datasets import Statistics
from atlas.drift import TableDrift
from atlas.errors import AtlasError
from atlas.inference import OutOfRange
from atlas.manifest import CustomMetric, Manifest
from atlas.metrics import Needs
from atlas.results import MOST_NAME, HyperparameterGroup, MetricValue, SurrogateTree
from atlas.states import FailureClass
from atlas.vocabulary import ColumnSchema, Document, Text
from benchmark_engine.sandbox.layers import Layer
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.sandbox.monitor import Excess
from explainability.explained import Background, Output

D = TypeVar("D", bound=Document)
DOUBLE, SINGLE = "<f8", "<f4"
NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""The character as JSON writes it, behind any number of backslashes that stand for themselves."""

FeatureName = Annotated[str, StringConstraints(max_length=MOST_NAME)]
MOST_FEATURES = 100_000
MOST_PREDICTED = 2_000
"""How many of the reference's rows are predicted."""

REQUEST = "request.json"
ANSWER = "answer.json"
LATENCY = "latency.json"
CHOSEN = "chosen.json"
EXPLANATION = "explanation.json"
EXPLAINED_ROWS = "explained-rows.f4"
SHAP_VALUES = "shap-values.f4"
LOCAL = "local.f4"
EFFECTS = "effects.f4"
BUNDLE = "bundle"
FEATURES = "features.arrow"
LABELS = "labels.f8"
SCORES = "scores.f8"
PROBABILITIES = "probabilities.f8"
TRUTH = "truth.f8"
REFERENCE_LABELS = "reference-labels.f8"
REFERENCE_PREDICTED = "reference.json"
OUTCOMES = "outcomes.arrow"
REFERENCE_OUTCOMES = "reference-outcomes.arrow"
LABEL, PREDICTION = "label", "prediction"
"""The columns of `OUTCOMES`, of which the first may be missing; `REFERENCE_OUTCOMES` has the second."""
PROGRESS = "progress.json"
SENT = "sent"
"""A file of rows that a person sent."""
SHARED = "shared.arrow"
"""What the pipeline that several models have in common made of all rows."""


class Stage(StrEnum):
    """What a child is asked to do."""

    PREDICT = "predict"
    TRANSFORM = "transform"
    MEASURE = "measure"
    COMPARE = "compare"
    DECODE = "decode"
    PROBE = "probe"


class Order(Document):
    """What the engine asks of the zygote: a child for one stage.

    `given` are the files and folders that the child may read besides its workspace's inputs, as descriptors from
    `FIRST_GIVEN` on. `trusted`: run it even without required layers.
    """

    stage: Stage
    scratch: Path
    given: tuple[Path, ...] = ()
    limits: Limits
    trusted: bool


class Started(Document):
    """What a child says before it touches a model: the layers that hold, or why it refuses to go on."""

    layers: tuple[Layer, ...] = ()
    missing: dict[Layer, str] = Field(default_factory=dict)
    refused: str = ""


class Ended(Document):
    """What the zygote says of a child: its exit code, negative where a signal ended it, and what it had too much of."""

    exit_code: int
    excess: Excess | None = None


class PredictRequest(Document):
    """Load the model, predict every row of the features, explain some of them.

    `probabilities`: give them also where no metric of the manifest needs them, if the model has any.
    """

    manifest: Manifest
    explained: ExplanationBudget
    probabilities: bool = False

    @property
    def needs(self) -> frozenset[Needs]:
        """What is wanted of the model's answers."""
        return self.manifest.needs | ({Needs.PROBABILITIES} if self.probabilities else frozenset())


class ChosenRows(Document):
    """Which rows are to be explained, as the engine chose them once it had the predictions: the first ones first."""

    rows: tuple[int, ...]


class EffectAnswer(Document):
    """One `explainability.explained.Effect`; its lines lie in the file `EFFECTS`, one effect's after the other's."""

    feature: FeatureName
    grid: tuple[FiniteFloat, ...] = Field(min_length=1, max_length=1_000)
    lines: int = Field(ge=1, le=10_000)


class ExplainAnswer(Document):
    """What the child says of its explanation, or why there is none; the numbers lie in files, single precision.

    The fields are those of `explainability.explained.Findings`; `rows` and `local_rows` are how many rows it explained.
    """

    impossible: str = Field(default="", max_length=2_000)
    method: str = Field(default="", max_length=200)
    output: Output = "value"
    outputs: tuple[FeatureName, ...] = Field(default=(), max_length=1_000)
    base_values: tuple[FiniteFloat, ...] = Field(default=(), max_length=1_000)
    features: tuple[FeatureName, ...] = Field(default=(), max_length=MOST_FEATURES)
    sources: tuple[FeatureName, ...] = Field(default=(), max_length=MOST_FEATURES)
    rows: int = Field(default=0, ge=0)
    local_rows: int = Field(default=0, ge=0)
    value_error: FiniteFloat = Field(default=0.0, ge=0)
    gap: FiniteFloat = Field(default=0.0, ge=0)
    background: Background = "data"
    background_rows: int = Field(default=0, ge=0)
    effects: tuple[EffectAnswer, ...] = Field(default=(), max_length=100)
    tree: SurrogateTree | None = None
    seconds: FiniteFloat = Field(default=0.0, ge=0)


class Latency(Document):
    """How long it took to predict single rows: the median, the 95 % percentile, and of how many rows."""

    p50_seconds: float | None = Field(default=None, ge=0)
    p95_seconds: float | None = Field(default=None, ge=0)
    rows: int = Field(default=0, ge=0, le=1_000_000)


class ReferencePredicted(Document):
    """Of how many of the reference's rows the predictions lie in `REFERENCE_LABELS`, or why there are none."""

    rows: int = Field(default=0, ge=0, le=MOST_PREDICTED)
    impossible: str = Field(default="", max_length=2_000)


class CompareRequest(Document):
    """Compare the features and `OUTCOMES` with the bundle's reference and, if it is there, `REFERENCE_OUTCOMES`."""

    manifest: Manifest


class CompareAnswer(Document):
    """How far the rows lie from the reference, or why that is unknown."""

    drift: TableDrift | None = None
    unknown: str = Field(default="", max_length=2_000)


class TransformRequest(Document):
    """Have the pipeline make features of every row."""

    manifest: Manifest


class TransformAnswer(Document):
    """What the child says of the features, which lie in the file `SHARED`."""

    rows: int = Field(ge=0)


class MeasureRequest(Document):
    """Compute the author's own metrics from the truth and the sealed predictions."""

    manifest: Manifest
    metrics: tuple[CustomMetric, ...]
    rows: int


class ChildFailure(Document):
    """Why the child could not do what it was asked."""

    failure_class: FailureClass
    reason: str = Field(max_length=4_000)


class PredictAnswer(Document):
    """What the child says of its predictions, which lie in files: see `read_array` for their form."""

    failure: ChildFailure | None = None
    scores_columns: int | None = Field(default=None, ge=0, le=100_000)
    has_probabilities: bool = False
    load_seconds: float = Field(default=0.0, ge=0)
    predict_seconds: float = Field(default=0.0, ge=0)
    cpu_seconds: float = Field(default=0.0, ge=0)
    peak_memory_bytes: int = Field(default=0, ge=0)
    hyperparameters: tuple[HyperparameterGroup, ...] = Field(default=(), max_length=1_000)


class MeasureAnswer(Document):
    """The author's own metrics."""

    failure: ChildFailure | None = None
    metrics: tuple[MetricValue, ...] = ()


class RowsForm(StrEnum):
    """What the rows are written in that a person sent."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


class DecodeRequest(Document):
    """Make the columns that a model needs of a file, and compare them with the known data.

    `shown_rows`: so many of the first rows are told.
    """

    form: RowsForm
    columns: tuple[ColumnSchema, ...]
    known: Statistics | None
    most_rows: int
    shown_rows: int


class DecodeAnswer(Document):
    """What the child says of the rows, which lie in the file `FEATURES`; or what is wrong with them.

    `shown` are the first rows by column.
    """

    problem: str = Field(default="", max_length=2_000)
    rows: int = Field(default=0, ge=0)
    ids: tuple[Annotated[str, StringConstraints(max_length=200)], ...] = ()
    shown: dict[str, tuple[JsonValue, ...]] = Field(default_factory=dict)
    out_of_range: tuple[OutOfRange, ...] = ()


class Probe(Document):
    """An attempt at something that no model may do: what it was, and what came of it."""

    promise: Text
    contained: bool
    outcome: str


class ProbeAnswer(Document):
    """What a child that plays a hostile model found out."""

    probes: tuple[Probe, ...]


class AnswerError(AtlasError):
    """What the child wrote is not a well-formed answer."""


def read_document(document: type[D], path: Path, *, max_bytes: int = 16 << 20) -> D:
    """A document that a child wrote. NUL characters in its texts, which no database takes, become spaces.

    Raises:
        AnswerError: it is missing, too long, or not what it should be.
    """
    try:
        return document.model_validate_json(NUL.sub(rb"\1\\u0020", _read(path, max_bytes=max_bytes)))
    except ValidationError as error:
        raise AnswerError(f"{path.name}: {error}"[:2_000]) from error


def write_document(document: Document, path: Path) -> None:
    """Write a document such that a reader sees all of it or nothing."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(document.model_dump_json())
    partial.replace(path)


def write_array(array: np.ndarray, path: Path, dtype: str = DOUBLE) -> None:
    """Write an array as little-endian numbers, doubles by default, in row order."""
    np.ascontiguousarray(array, dtype=dtype).tofile(path)


def read_array(path: Path, shape: tuple[int, ...], dtype: str = DOUBLE, *, finite: bool = True) -> np.ndarray:
    """Read little-endian numbers of just this shape.

    Raises:
        AnswerError: the file is missing, or holds more or fewer numbers, or one that is not finite, if they have to be.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    content = _read(path, max_bytes=size)
    if len(content) != size:
        raise AnswerError(f"{path.name} does not hold {' x '.join(map(str, shape))} numbers")
    values = np.frombuffer(content, dtype=dtype)
    if finite and not np.isfinite(values).all():
        raise AnswerError(f"{path.name} holds {int((~np.isfinite(values)).sum())} numbers that are not finite")
    return values.reshape(shape)


def _read(path: Path, *, max_bytes: int) -> bytearray:
    """The content of a plain file; nothing that a child could put in its place is followed or waited for.

    Raises:
        AnswerError: it is missing, no plain file, or too large.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise AnswerError(f"{path.name} is not a plain file")
            if status.st_size > max_bytes:
                raise AnswerError(f"{path.name} is larger than {max_bytes:,} bytes")
            content = bytearray(status.st_size)
            del content[file.readinto(content) :]
            return content
    except OSError as error:
        raise AnswerError(f"{path.name} cannot be read: {error.strerror}") from error
