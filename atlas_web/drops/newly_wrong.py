"""Two results of a model event by event: what became wrong, what is new and wrong, what has another label. Pure.

A model that is unchanged answers an unchanged event as before. So where it is right no longer on an event that both
results have, the data were changed, or something on the way from them to the model.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atlas.errors import AtlasError
from atlas_web.predicted import Predicted

MOST_EVENTS = 2_000_000
"""Of more events none are compared one by one: they would not fit beside each other."""
ROUNDING = 1e-6
"""By so much of the spread of the truth a number may differ for the order in which a machine adds others up."""


class CannotCompareError(AtlasError):
    """The events of two results cannot be told apart by their ids."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Events of the newer result.

    Attributes:
        rows: how many they are.
        wrong: the share of them that is wrong; of a regression, the mean distance from the truth. None without any.
        was_wrong: likewise in the earlier result; None of events that it does not have.
        worst: (m,) numbers in the newer result of those to look at, the worst first.
    """

    rows: int
    wrong: float | None
    was_wrong: float | None
    worst: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """The events of the newer result, in three groups.

    Attributes:
        shared: those whose id and truth the earlier result has too; its worst became wrong, or farther from the truth.
        added: those whose id is new; its worst are wrong, or farthest from the truth.
        relabelled: those whose truth was another; its worst likewise.
        mended: how many shared ones became right, or nearer to the truth.
        gone: how many events the earlier result has alone.
    """

    shared: Group
    added: Group
    relabelled: Group
    mended: int
    gone: int


def compared(then: Predicted, now: Predicted) -> Compared:
    """Both results, event by event.

    Raises:
        CannotCompareError: there are too many events, or several have the same id.
    """
    was = _places(then, now)
    known = np.flatnonzero(was >= 0)
    is_same = np.asarray(then.truth[was[known]] == now.truth[known], dtype=bool)
    shared, relabelled, added = known[is_same], known[~is_same], np.flatnonzero(was < 0)
    growth = now.mistakes[shared] - then.mistakes[was[shared]]
    slack = ROUNDING * float(np.ptp(now.truth)) if now.is_regression and len(now) else 0.0
    order = np.lexsort((-now.badness[shared], -growth))
    return Compared(
        shared=_group(now, shared, shared[order][growth[order] > slack], then.mistakes[was[shared]]),
        added=_group(now, added, _wrong_first(now, added)),
        relabelled=_group(now, relabelled, _wrong_first(now, relabelled), then.mistakes[was[relabelled]]),
        mended=int((growth < -slack).sum()),
        gone=len(then) - len(known),
    )


def _places(then: Predicted, now: Predicted) -> npt.NDArray[np.int64]:
    """(n,) the number of each newer event in the earlier result; -1 of those that it does not have."""
    if max(len(then), len(now)) > MOST_EVENTS:
        raise CannotCompareError(f"There are more than {MOST_EVENTS:,} events, too many to compare one by one.")
    older, newer = (pa.array(each.ids.tolist(), pa.string()) for each in (then, now))
    if any(pc.count_distinct(ids).as_py() < len(ids) for ids in (older, newer)):
        raise CannotCompareError("Several events have the same id, so they cannot be compared one by one.")
    found = pc.fill_null(pc.index_in(newer, value_set=older), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _wrong_first(now: Predicted, places: np.ndarray) -> np.ndarray:
    """Of these events those that are wrong, the worst first."""
    wrong = places[now.mistakes[places] > 0]
    return np.asarray(wrong[np.argsort(-now.badness[wrong], kind="stable")])


def _group(now: Predicted, places: np.ndarray, worst: np.ndarray, before: np.ndarray | None = None) -> Group:
    return Group(
        rows=len(places),
        wrong=_rate(now, now.mistakes[places]),
        was_wrong=None if before is None else _rate(now, before),
        worst=worst,
    )


def _rate(of: Predicted, mistakes: np.ndarray) -> float | None:
    if not len(mistakes):
        return None
    return float(mistakes.mean() if of.is_regression else (mistakes > 0).mean())
