"""The words that all engines share: what a model predicts, what a column is, what may be in a document."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
"""A name that is safe in an address, a file name and an object key."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A sha256 in lower-case hexadecimal."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
"""One line for people to read."""

Label = bool | int | float | str
"""One class of a classification, as the dataset's label column holds it."""


class Task(StrEnum):
    """What a model predicts for one event."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"
    REGRESSION = "regression"

    @property
    def is_classification(self) -> bool:
        """Whether the prediction is a class, or a set of classes, rather than a number."""
        return self is not Task.REGRESSION


class Outputs(StrEnum):
    """What the numbers mean that a model gives, where its file does not say."""

    LABELS = "labels"
    VALUES = "values"
    PROBABILITIES = "probabilities"
    LOGITS = "logits"


class Split(StrEnum):
    """Which part of a dataset version: models train on one and are benchmarked on the other."""

    TRAINING = "training"
    EVALUATION = "evaluation"


class Format(StrEnum):
    """What the file of a split is written in."""

    ARROW = "arrow"
    PARQUET = "parquet"


class Document(BaseModel):
    """Base of everything that crosses a process boundary: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnSchema(Document):
    """One column of a table: `dtype` is the name of its Arrow type, such as `double` or `list<item: float>`."""

    name: Text
    dtype: Text
