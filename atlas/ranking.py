"""Which of several models is best: places, ties, noise, and how good a score is among others. Pure rules.

These are the rules of every page, of the API and of the command line. A score that is not known, or no finite number,
is never ranked.
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

TIED = 1e-9
"""Scores that differ by no more than this share of the larger one are the same: the rest is rounding."""
FEW = 0.06
"""The share of scores, from the worst on, that a scale lets drop below its lower end: one that is far off would leave
no difference between all others."""
STEPS = 7
"""How many colours a scale has."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value and the ends of its 95 % interval, as far as they are known."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def is_ranked(self) -> bool:
        """Whether it can be compared with others: it is a finite number."""
        return self.value is not None and math.isfinite(self.value)


UNKNOWN = Score(None)
"""The score of what has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Generic[Key]):
    """Where one of several stands.

    Attributes:
        key: whose place it is.
        rank: 1 for the best; those that are tied share a rank, and the next one counts them all: 1, 1, 3.
        tied: whether others share it.
        behind: by how much its score is worse than the best, at least 0.
        within_noise: whether it does not differ from the best by more than noise; None if an interval is not known.
    """

    key: Key
    rank: int
    tied: bool
    behind: float
    within_noise: bool | None


def unlike(low: float | None, high: float | None, other_low: float | None, other_high: float | None) -> bool:
    """Whether two 95 % intervals have no value in common, so that two scores differ by more than noise.

    That is the same as a difference beyond both intervals' halves that face each other. It is a cautious test: where
    intervals overlap, the difference may be real all the same, and only a paired test could tell.
    """
    if low is None or high is None or other_low is None or other_high is None:
        return False
    return low > other_high or high < other_low


def within_noise(score: Score, other: Score) -> bool | None:
    """Whether two scores do not differ by more than noise, see `unlike`; None if an interval is not known."""
    if None in (score.low, score.high, other.low, other.high):
        return None
    return not unlike(score.low, score.high, other.low, other.high)


def tied(value: float, other: float) -> bool:
    """Whether two scores are the same but for rounding."""
    return math.isclose(value, other, rel_tol=TIED)


def ranked(scores: Mapping[Key, Score], *, greater_is_better: bool) -> list[Place[Key]]:
    """The places of all scores that can be ranked, the best first; those that are tied in the order given."""
    known = [(key, score) for key, score in scores.items() if score.is_ranked]
    known.sort(key=lambda entry: _value(entry[1]), reverse=greater_is_better)
    ranks: list[int] = []
    for place, (_, score) in enumerate(known):
        first = ranks[-1] - 1 if ranks else 0
        ranks.append(first + 1 if tied(_value(score), _value(known[first][1])) else place + 1)
    return [
        Place(
            key=key,
            rank=rank,
            tied=_shared(ranks, place),
            behind=abs(_value(score) - _value(known[0][1])),
            within_noise=within_noise(score, known[0][1]),
        )
        for place, ((key, score), rank) in enumerate(zip(known, ranks, strict=True))
    ]


def _value(score: Score) -> float:
    return math.nan if score.value is None else score.value


def _shared(ranks: list[int], place: int) -> bool:
    """Whether a neighbour has the same rank."""
    return ranks[place] in (*ranks[max(place - 1, 0) : place], *ranks[place + 1 : place + 2])


def best_of(values: Iterable[float], *, greater_is_better: bool) -> float | None:
    """The best of several values, of those that are finite; None if there is none."""
    known = [value for value in values if math.isfinite(value)]
    return (max(known) if greater_is_better else min(known)) if known else None


def is_worse(value: float, earlier: float, *, greater_is_better: bool) -> bool:
    """Whether a score is worse than an earlier one."""
    return value < earlier if greater_is_better else value > earlier


@dataclass(frozen=True, slots=True)
class Scale:
    """From the worst to the best of comparable scores. `worst` lies above `best` where less is better."""

    worst: float
    best: float

    def step(self, value: float) -> int:
        """How good a value is on it: 1 for the worst and what lies beyond, to `STEPS` for the best."""
        span = self.best - self.worst
        share = (value - self.worst) / span if span else 0.5
        return 1 + min(int(STEPS * min(max(share, 0.0), 1.0)), STEPS - 1)


def scale_of(values: Iterable[float], *, greater_is_better: bool) -> Scale | None:
    """The scale of comparable scores, from the 6th percentile on the worse side to the best; None without any."""
    known = sorted((value for value in values if math.isfinite(value)), reverse=not greater_is_better)
    return Scale(_quantile(known, FEW), known[-1]) if known else None


def _quantile(ordered: list[float], share: float) -> float:
    """The value below which this share of ordered values lies, between two of them by linear interpolation."""
    place = share * (len(ordered) - 1)
    before = int(place)
    after = min(before + 1, len(ordered) - 1)
    return ordered[before] + (place - before) * (ordered[after] - ordered[before])
