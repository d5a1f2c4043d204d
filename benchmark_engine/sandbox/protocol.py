"""What the engine and the sandboxed child say to each other, and the files that they say it in."""

from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import Field, ValidationError

from atlas.errors import AtlasError
from atlas.manifest import CustomMetric, Manifest
from atlas.results import HyperparameterGroup, MetricValue
from atlas.states import FailureClass
from atlas.vocabulary import Document

D = TypeVar("D", bound=Document)

REQUEST = "request.json"
ANSWER = "answer.json"
EXPLANATION = "explanation.json"
OUTPUT = "output.txt"
BUNDLE = "bundle"
FEATURES = "features.arrow"
LABELS = "labels.f8"
SCORES = "scores.f8"
PROBABILITIES = "probabilities.f8"
TRUTH = "truth.f8"


class PredictRequest(Document):
    """Load the model, predict every row of the features, explain some of them."""

    manifest: Manifest
    explained_rows: int = Field(ge=0)


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


class AnswerError(AtlasError):
    """What the child wrote is not a well-formed answer."""


def read_document(document: type[D], path: Path, *, max_bytes: int = 16 << 20) -> D:
    """A document that a child wrote.

    Raises:
        AnswerError: it is missing, too long, or not what it should be.
    """
    try:
        if path.is_symlink() or path.stat().st_size > max_bytes:
            raise AnswerError(f"{path.name} is a link, or larger than {max_bytes >> 20} MiB")
        return document.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise AnswerError(f"{path.name}: {error}") from error


def write_document(document: Document, path: Path) -> None:
    """Write a document such that a reader sees all of it or nothing."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(document.model_dump_json())
    partial.replace(path)


def write_array(array: np.ndarray, path: Path) -> None:
    """Write an array as little-endian doubles in row order."""
    np.ascontiguousarray(array, dtype="<f8").tofile(path)


def read_array(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read little-endian doubles of just this shape.

    Raises:
        AnswerError: the file is missing, or holds more or fewer numbers, or one that is not finite.
    """
    count = int(np.prod(shape))
    try:
        if path.is_symlink() or path.stat().st_size != count * 8:
            raise AnswerError(f"{path.name} does not hold {' x '.join(map(str, shape))} numbers")
        values = np.fromfile(path, dtype="<f8", count=count)
    except OSError as error:
        raise AnswerError(f"{path.name}: {error}") from error
    if not np.isfinite(values).all():
        raise AnswerError(f"{path.name} holds {int((~np.isfinite(values)).sum())} numbers that are not finite")
    return values.reshape(shape)
