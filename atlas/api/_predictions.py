"""Predictions on demand, as the API tells of them."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from atlas.api._common import NO_ZERO, Answer
from atlas.api._models import ModelReference, VersionNumber
from atlas.inference import OutOfRange
from atlas.states import FailureClass, State
from atlas.vocabulary import Document

MOST_INLINE = 1_000
EventId = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_ZERO)]
Name = Annotated[str, StringConstraints(max_length=200, pattern=NO_ZERO)]


class PredictionRequest(Document):
    """What a model is to predict: just one of `dataset`, `recording` and `rows`.

    `dataset` is a version as `tag:number`, or a tag for its newest one; of it, the `events` with these ids are
    predicted, or else the first `most`. `rows` are objects with a value for each column that the model needs; larger
    tables are sent as a file.
    """

    dataset: Name = Field("", examples=["impacts:3"])
    events: tuple[EventId, ...] = Field((), max_length=10_000)
    most: int = Field(100, ge=1, le=100_000)
    recording: Name = ""
    rows: tuple[dict[str, Any], ...] | None = Field(None, min_length=1, max_length=MOST_INLINE)
    explains: bool = Field(True, description="whether the first hundred rows are explained too")

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> Self:
        if sum((bool(self.dataset), bool(self.recording), self.rows is not None)) != 1:
            raise ValueError("just one of dataset, recording and rows says what is predicted")
        return self


class PredictionSummary(Answer):
    """Predictions that somebody asked for, and how far they are.

    Of what: events of the version `dataset` (`events` of them by their ids, else the first ones), of a `recording`, or
    rows of a `file` that was sent. `rows` is how many were predicted.
    """

    id: int
    model: ModelReference
    state: State
    failure_class: FailureClass | None
    reason: str
    dataset: VersionNumber | None
    recording: str
    file: str
    by: str
    asked: datetime
    started: datetime | None
    finished: datetime | None
    rows: int | None


class PredictionDetail(PredictionSummary):
    """The same, with all that is said of the rows. `explained_rows` are the first ones; `unexplained` says why not."""

    explained_rows: int
    unexplained: str
    out_of_range: tuple[OutOfRange, ...]
    warnings: tuple[str, ...]
    output: str


class FeatureEffect(Answer):
    """What a feature's value adds to each output, and the value, where it is a number."""

    feature: str
    value: float | None
    effects: tuple[float, ...]


class RowExplanation(Answer):
    """Why a row was predicted so: `base_values` and all effects add up to the outputs.

    Only the features with the largest effects are told.
    """

    outputs: tuple[str, ...]
    base_values: tuple[float, ...]
    effects: tuple[FeatureEffect, ...]


class PredictedRow(Answer):
    """One row. `truth` is its label, where it has one; `out_of_range` names columns whose values are new to the model.

    `in_training` says that an event belongs to the split that models are trained on.
    """

    row: int
    id: str
    prediction: str | float
    probabilities: dict[str, float]
    truth: str | float | None
    in_training: bool
    out_of_range: tuple[str, ...]
    explanation: RowExplanation | None
