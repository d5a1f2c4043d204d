"""How the cells of two confusion matrices differ, and whether by more than noise. Pure."""

from collections.abc import Sequence

from atlas.intervals import wilson
from atlas.paired import Difference, unpaired
from atlas.results import MetricValue
from ui.components import Shift

Counts = Sequence[Sequence[int]]


def shifts(before: Counts, now: Counts, *, counts: bool) -> list[list[Shift]]:
    """By how much each cell differs from that of another matrix of the same classes.

    Args:
        before: events by truth and prediction.
        now: likewise.
        counts: whether both are of the same events, so that their numbers compare, and not shares alone.
    """
    return [
        [
            _shift((cell, sum(row)), (cell_before, sum(row_before)), counts=counts, diagonal=at == place)
            for at, (cell, cell_before) in enumerate(zip(row, row_before, strict=True))
        ]
        for place, (row, row_before) in enumerate(zip(now, before, strict=True))
    ]


def _shift(now: tuple[int, int], before: tuple[int, int], *, counts: bool, diagonal: bool) -> Shift:
    """How a cell differs. It is more than noise if the interval of the difference of both shares, as if they were of
    different events, does not hold 0."""
    shares = unpaired(_share(*before), _share(*now))
    return Shift(
        count=now[0] - before[0] if counts else None,
        share=shares.value,
        noise=not _is_apart(shares),
        diagonal=diagonal,
    )


def _share(part: int, whole: int) -> MetricValue:
    interval = wilson(part, whole)
    return MetricValue(
        name="share",
        value=part / whole if whole else None,
        greater_is_better=True,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )


def _is_apart(difference: Difference) -> bool:
    return difference.low is not None and difference.high is not None and not difference.low <= 0 <= difference.high
