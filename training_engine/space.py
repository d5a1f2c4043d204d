"""What a hyperparameter search looks through: values to choose from, and how it chooses."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Self, cast

import numpy as np
from pydantic import Field, JsonValue, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import InitErrorDetails

from atlas.vocabulary import Document, Text
from training_engine.components import check_nested, located

MOST_TRIALS = 1_000
Number = int | float


class Method(StrEnum):
    """How a search chooses what to try."""

    GRID = "grid"
    RANDOM = "random"
    HALVING = "halving"
    OPTUNA = "optuna"


class Range(Document):
    """Numbers from `low` to `high`, both included: whole ones if `low`, `high` and `step` are whole."""

    low: Number = Field(description="The least value")
    high: Number = Field(description="The largest value")
    log: bool = Field(False, description="Whether each order of magnitude is as likely as the others")
    step: Annotated[Number, Field(gt=0)] | None = Field(None, description="Distance between values, from `low` on")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low, {self.low}, has to be less than high, {self.high}")
        if self.log and self.low <= 0:
            raise ValueError("log needs a low above 0")
        if self.log and self.step:
            raise ValueError("give either log or step")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return all(isinstance(number, int) for number in (self.low, self.high, self.step or 1))

    def values(self) -> list[Number]:
        """All values of a range with a step, ascending."""
        step = self.step or 1
        found = [self.low + step * place for place in range(int((self.high - self.low) / step + 1e-9) + 1)]
        return found if self.is_whole else [float(value) for value in found]

    def rvs(self, random_state: np.random.RandomState) -> Number:
        """A value by chance, as scikit-learn's samplers ask for it."""
        if self.step:
            values = self.values()
            return values[random_state.randint(len(values))]
        low, high = (self.low - 0.5, self.high + 0.5) if self.is_whole else (self.low, self.high)
        if self.log:
            drawn = float(np.exp(random_state.uniform(np.log(low), np.log(high))))
        else:
            drawn = float(random_state.uniform(low, high))
        return int(np.clip(round(drawn), self.low, self.high)) if self.is_whole else drawn


Choices = list[JsonValue] | Range
"""What a parameter is chosen from."""


class SearchConfiguration(Document):
    """A search for the parameters that do best in cross-validation on the training split."""

    method: Method = Field(
        description="`grid`: all combinations; `random`: some by chance; `halving`: many on few rows, the best third "
        "of them on three times as many, and so on; `optuna`: each trial learns from those before (TPE)"
    )
    space: Annotated[dict[Text, JsonValue], Field(min_length=1)] = Field(
        description="For each parameter a list of values, or a range"
    )
    trials: int = Field(20, ge=1, le=MOST_TRIALS, description="How many combinations are tried; `grid` tries all")
    folds: int = Field(5, ge=2, le=50, description="Into how many parts cross-validation cuts the training split")
    groups: Text | None = Field(
        None,
        description="A column: events that share its value, such as a recording, are never on both sides of a fold",
    )
    metric: Text | None = Field(None, description="What is made best; `primary_metric` if not given")
    timeout_seconds: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="After so long the best combination so far is taken"
    )

    @field_validator("space")
    @classmethod
    def _choices(cls, space: dict[str, JsonValue], info: ValidationInfo) -> dict[str, JsonValue]:
        wrong = [detail for name, value in space.items() for detail in _problems(name, value, info.data.get("method"))]
        if wrong:
            raise ValidationError.from_exception_data("space", wrong)
        if info.data.get("method") is Method.GRID and (number := _combinations(space)) > MOST_TRIALS:
            raise ValueError(f"a grid of {number:,} combinations; at most {MOST_TRIALS:,} are tried. Take random.")
        return space

    @property
    def choices(self) -> Mapping[str, Choices]:
        """What each parameter is chosen from, by the parameter's place in the configuration."""
        return {name: _read(value) for name, value in self.space.items()}


def _read(value: JsonValue) -> Choices:
    return value if isinstance(value, list) else Range.model_validate(value)


def _problems(name: str, value: JsonValue, method: Method | None) -> Iterator[InitErrorDetails]:
    try:
        if not isinstance(value, list | dict) or value == []:
            raise ValueError("a list of values or a range such as {low: 1, high: 10} is wanted")
        check_nested(value if isinstance(value, list) else [])
        choices = _read(value)
        if method is Method.GRID and isinstance(choices, Range) and not choices.step:
            raise ValueError("a grid needs a list, or a range with a step")
    except ValidationError as error:
        yield from located(error, (name,))
    except ValueError as error:
        yield problem_at((name,), value, error)


def problem_at(place: tuple[int | str, ...], value: Any, error: ValueError) -> InitErrorDetails:
    """An error at that place of a document."""
    return cast(InitErrorDetails, {"type": "value_error", "loc": place, "input": value, "ctx": {"error": error}})


def _combinations(space: Mapping[str, JsonValue]) -> int:
    choices = map(_read, space.values())
    sizes = [len(each.values()) if isinstance(each, Range) else len(each) for each in choices]
    return int(np.prod(sizes, dtype=float))
