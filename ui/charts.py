"""What the charts show: of metrics here, of explanations in `explainability.figures`.

The files of `static/ui/charts/` have one drawing function for each such class, under its `kind`.
"""

import math
from collections.abc import Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from typing import Any, ClassVar, Protocol

from ui import formats


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
class Residuals:
    """True and predicted values of a regression, event by event. `target` names what is predicted."""

    kind: ClassVar[str] = "residuals"

    truth: Sequence[float]
    predicted: Sequence[float]
    target: str


@dataclass(frozen=True)
class Signal:
    """The samples of a raw signal: some of its `count` samples if it is long, their numbers and values."""

    kind: ClassVar[str] = "signal"

    name: str
    samples: Sequence[int]
    values: Sequence[float]
    count: int

    @property
    def label(self) -> str:
        """Between what it lies, in words."""
        known = [value for value in self.values if math.isfinite(value)]
        span = f", between {formats.figure(min(known))} and {formats.figure(max(known))}" if known else ""
        return f"Line chart: {self.count:,} samples of {self.name}{span}"


class Chart(Protocol):
    """Any dataclass with a `kind`: one of those above, or of another package."""

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def as_json(chart: Chart) -> object:
    """The chart's content as values that JSON can hold: what is not a finite number becomes None, a gap."""
    return _plain(chart)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
