"""What the charts show. `charts.js` has one drawing function for each class here, under its `kind`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Series:
    """One line of a history: a value for each dataset version, None where there is none.

    `low` and `high` hold the ends of each value's 95 % interval, between which a band is drawn; None, or no list at
    all, where there is none. `main` marks the line that the page is about.
    """

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    main: bool = False


@dataclass(frozen=True)
class History:
    """A metric over dataset versions, oldest first. `notes` says more of each version on hover, such as its date."""

    kind: ClassVar[str] = "history"

    metric: str
    versions: Sequence[str]
    notes: Sequence[str]
    series: Sequence[Series]


@dataclass(frozen=True)
class Importance:
    """How strongly each column moves the output, the most important first. `measure` names the axis."""

    kind: ClassVar[str] = "importance"

    columns: Sequence[str]
    values: Sequence[float]
    measure: str = "Mean |SHAP value|"


@dataclass(frozen=True)
class Residuals:
    """True and predicted values of a regression, event by event. `target` names what is predicted."""

    kind: ClassVar[str] = "residuals"

    truth: Sequence[float]
    predicted: Sequence[float]
    target: str


Chart = History | Importance | Residuals


def as_json(chart: Chart) -> object:
    """The chart's content as values that JSON can hold: what is not a finite number becomes None, a gap."""
    return _finite(asdict(chart))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    return value
