"""What the charts show: of metrics here, of explanations in `explainability.figures`.

The files of `static/ui/charts/` have one drawing function for each such class, under its `kind`.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from typing import Any, ClassVar, Protocol

from ui import formats

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""What a chart shows, as a table: the heads of its columns, and the cells of each row, the first its head."""
_TWENTIETHS = [place / 20 for place in range(21)]


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
    """A metric over dataset versions, oldest first. `notes` says more of each version on hover, such as its date.

    `marked` are the versions that a dotted line marks; `from_0_to_1` says that the axis shows all that a share may be.
    """

    kind: ClassVar[str] = "history"

    metric: str
    versions: Sequence[str]
    notes: Sequence[str]
    series: Sequence[Series]
    marked: Sequence[str] = ()
    from_0_to_1: bool = False

    @property
    def table(self) -> Table:
        """A row for each version, with the intervals."""
        rows = [(version, *(_told(line, i) for line in self.series)) for i, version in enumerate(self.versions)]
        return ("Version", *(line.name for line in self.series)), rows


@dataclass(frozen=True)
class Residuals:
    """True and predicted values of a regression, event by event. `target` names what is predicted."""

    kind: ClassVar[str] = "residuals"

    truth: Sequence[float]
    predicted: Sequence[float]
    target: str

    @property
    def table(self) -> Table:
        """About twenty of the events, from the lowest true value to the highest."""
        pairs = sorted(zip(self.truth, self.predicted, strict=True))
        rows = [tuple(map(formats.figure, pair)) for pair in pairs[:: max(len(pairs) // 20, 1)]]
        return (f"True {self.target}", f"Predicted {self.target}"), rows


@dataclass(frozen=True, kw_only=True)
class Point:
    """A model's quality and cost. `mark` is the letter that stands for it, if it is chosen; `front` says that no other
    point is both cheaper and better; `low` and `high` are the ends of the quality's 95 % interval."""

    name: str
    mark: str
    benchmark: int
    cost: float
    value: float
    low: float | None = None
    high: float | None = None
    front: bool = False


@dataclass(frozen=True)
class Pareto:
    """Quality against cost, with the front of the points that no other one beats; less cost is better."""

    kind: ClassVar[str] = "pareto"

    metric: str
    cost: str
    greater_is_better: bool
    points: Sequence[Point]


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


@dataclass(frozen=True)
class Line:
    """A curve by its points, the area below it, and the height that guessing reaches. `main` marks those to look at."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    area: float
    chance: float
    main: bool = True


@dataclass(frozen=True)
class Curves:
    """Curves in the unit square. `measure` is the short name of the area below them; guessing gives the diagonal if
    `diagonal`, else a level line for each curve."""

    kind: ClassVar[str] = "curves"

    x_axis: str
    y_axis: str
    measure: str
    diagonal: bool
    lines: Sequence[Line]

    @property
    def label(self) -> str:
        """The areas in words."""
        areas = [f"{line.name} {formats.num(line.area)}" for line in self.lines if line.main]
        return f"Line chart: {self.y_axis} over {self.x_axis.lower()}; {self.measure} of {', '.join(areas)}"

    @property
    def table(self) -> Table:
        """The curves' heights at every twentieth of the width."""
        rows = [(formats.num(at, 2), *(formats.num(_height(line, at)) for line in self.lines)) for at in _TWENTIETHS]
        areas = (self.measure, *(formats.num(line.area) for line in self.lines))
        return (self.x_axis, *(line.name for line in self.lines)), [areas, *rows]


@dataclass(frozen=True)
class Reliability:
    """How often what was said with a probability came true: of each group of events how many, their mean probability,
    the share that came true, and the ends of its 95 % interval."""

    kind: ClassVar[str] = "reliability"

    x_axis: str
    y_axis: str
    means: Sequence[float]
    shares: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    starts: Sequence[float]
    ends: Sequence[float]
    events: Sequence[int]

    @property
    def label(self) -> str:
        """The outermost groups in words."""
        ends = sorted({0, len(self.means) - 1})
        told = [f"{formats.share(self.means[i])} was said and {formats.share(self.shares[i])} came true" for i in ends]
        return f"Reliability diagram: {'; '.join(told)}"

    @property
    def table(self) -> Table:
        """A row for each group."""
        columns = zip(self.starts, self.ends, self.means, self.shares, self.low, self.high, self.events, strict=True)
        rows = [
            (
                f"{formats.num(start, 1)} to {formats.num(end, 1)}",
                formats.num(mean),
                formats.num(share),
                f"[{formats.num(low)}, {formats.num(high)}]",
                formats.num(events, 0),
            )
            for start, end, mean, share, low, high, events in columns
        ]
        return ("Between", f"Mean {self.x_axis.lower()}", self.y_axis, "95 % interval", "Events"), rows


@dataclass(frozen=True)
class Histogram:
    """Counts between ascending `edges`, one more than there are `counts`."""

    kind: ClassVar[str] = "histogram"

    axis: str
    edges: Sequence[float]
    counts: Sequence[int]

    @property
    def label(self) -> str:
        """Where most are, in words."""
        place = max(range(len(self.counts)), key=self.counts.__getitem__)
        start, end = (formats.figure(self.edges[place + k]) for k in (0, 1))
        return f"Histogram of {self.axis.lower()}: most, {self.counts[place]:,}, are between {start} and {end}"

    @property
    def table(self) -> Table:
        """A row for each bar."""
        figures = [formats.figure(edge) for edge in self.edges]
        return ("From", "To", "Events"), list(
            zip(figures, figures[1:], (formats.num(count, 0) for count in self.counts), strict=False)
        )


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of values against those of the normal distribution, which has this mean and standard deviation."""

    kind: ClassVar[str] = "quantiles"

    axis: str
    expected: Sequence[float]
    observed: Sequence[float]
    mean: float
    deviation: float

    @property
    def label(self) -> str:
        """How far the outermost ones are from the line, in words."""
        low, high = self.observed[0], self.observed[-1]
        normal = [formats.figure(self.mean + self.deviation * self.expected[i]) for i in (0, -1)]
        return (
            f"Scatter plot: quantiles of {self.axis.lower()}, from {formats.figure(low)} to {formats.figure(high)}; "
            f"a normal distribution goes from {normal[0]} to {normal[1]}"
        )

    @property
    def table(self) -> Table:
        """About twenty of the quantiles."""
        step = max(len(self.expected) // 20, 1)
        pairs = list(zip(self.expected, self.observed, strict=True))[::step]
        rows = [
            (formats.num(at, 2), formats.figure(value), formats.figure(self.mean + self.deviation * at))
            for at, value in pairs
        ]
        return ("Standard deviations", self.axis, "If normal"), rows


class Chart(Protocol):
    """Any dataclass with a `kind`: one of those above, or of another package."""

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def as_json(chart: Chart) -> object:
    """The chart's content as values that JSON can hold: what is not a finite number becomes None, a gap."""
    return _plain(chart)


def as_table(chart: Chart) -> Table | None:
    """The chart's content for those who cannot see it, if the chart has a `table`."""
    found: Table | None = getattr(chart, "table", None)
    return found


def _told(line: Series, place: int) -> str:
    value = line.values[place]
    low, high = (ends[place] if ends else None for ends in (line.low, line.high))
    sure = "" if value is None or low is None or high is None else f" [{formats.num(low)}, {formats.num(high)}]"
    return formats.num(value) + sure


def _height(line: Line, at: float) -> float:
    """The curve's height at a place between its points, the highest one where it rises there."""
    place = max(bisect_right(line.x, at), 1)
    if place == len(line.x) or line.x[place - 1] == at:
        return line.y[place - 1]
    (left, right), (low, high) = line.x[place - 1 : place + 1], line.y[place - 1 : place + 1]
    return low + (high - low) * (at - left) / (right - left)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
