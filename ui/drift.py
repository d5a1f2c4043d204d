"""The charts of drift: how far data have moved over versions, and the distributions of one column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ui import formats
from ui.charts import Table


@dataclass(frozen=True)
class DriftScores:
    """The drift of whole tables over dataset versions, oldest first; None where it is not known.

    Attributes:
        versions: their names.
        notes: what more is said of each on hover.
        shares: of the columns, how many have moved.
        farthest: the largest distance of a column, from 0 to 1.
        columns: which column that is.
        least: the distance from which on a column may count as moved.
        targets: the id of the element of the page on which a click on a point counts.
    """

    kind: ClassVar[str] = "drift"

    versions: Sequence[str]
    notes: Sequence[str]
    shares: Sequence[float | None]
    farthest: Sequence[float | None]
    columns: Sequence[str]
    least: float
    targets: Sequence[str]

    @property
    def label(self) -> str:
        """Where most has moved, in words."""
        known = [(share, version) for share, version in zip(self.shares, self.versions, strict=True) if share]
        if not known:
            return "Line chart: no column has moved on any of these versions"
        share, version = max(known, key=lambda each: each[0])
        return f"Line chart: most columns have moved on {version}, {formats.share(share)}"

    @property
    def table(self) -> Table:
        """A row for each version."""
        rows = zip(self.versions, self.shares, self.farthest, self.columns, strict=True)
        told = [(version, formats.share(share), formats.num(far), column) for version, share, far, column in rows]
        return ("Version", "Columns moved", "Farthest column's distance", "Farthest column"), told


@dataclass(frozen=True)
class Distributions:
    """How the rows of two samples spread over the same bins; both `counts` are as long as `bins`."""

    kind: ClassVar[str] = "distributions"

    names: tuple[str, str]
    bins: Sequence[str]
    before: Sequence[int]
    now: Sequence[int]

    @property
    def label(self) -> str:
        """The bin whose share changed most, in words."""
        shares = list(zip(self.bins, _shares(self.before), _shares(self.now), strict=True)) or [("nothing", 0.0, 0.0)]
        name, before, now = max(shares, key=lambda each: abs(each[2] - each[1]))
        ends = f"from {formats.share(before)} of {self.names[0]} to {formats.share(now)} of {self.names[1]}"
        return f"Bar chart of two distributions: {name} changed most, {ends}"

    @property
    def table(self) -> Table:
        """A row for each bin."""
        counted = zip(self.bins, self.before, self.now, _shares(self.before), _shares(self.now), strict=True)
        rows = [
            (name, formats.num(before, 0), formats.share(share), formats.num(now, 0), formats.share(share_now))
            for name, before, now, share, share_now in counted
        ]
        first, second = self.names
        return ("Values", f"Rows, {first}", "Share", f"Rows, {second}", "Share"), rows


def _shares(counts: Sequence[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [count / total for count in counts]
