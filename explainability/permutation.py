"""SHAP values of any model that predicts, from antithetic permutation walks with one background row per walk.

The game is v(S) = mean over background rows b of f(x on S, b elsewhere). For a permutation drawn at random and a row b
drawn at random, the change of f when feature j is switched from b_j to x_j, after the features before it, has the
Shapley value of j as its mean (Castro, Gómez and Tejada, 2009; Štrumbelj and Kononenko, 2014). A walk and its reverse
(an antithetic pair: Mitchell, Cooper, Frank and Holmes, 2022) share both ends. Features in which x and b are the same
change nothing, so that a walk skips them.

Background rows are dealt without replacement, so that all are used equally often. Two corrections take noise away: a
control variate (each feature's slope on b_j - mean of b_j, which is all of the noise where f is linear), and the gap to
f(x) - mean of f(b) is shared out among the features by their variance. The standard errors know nothing of the balance,
so they are upper estimates.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainability.answers import Answers, answers_of
from explainability.attribution import FEWEST_ROWS, Attribution, Explainer, ImpossibleError, Subject, closed
from explainability.mixing import Mixing, mixing
from explainability.tables import Table

METHOD = "permutation sampling"
PAIRS = 100
"""Pairs of walks for each row, where there is time: more accurate than 486 steps of shap's sampler, which takes the
whole background at each."""
FAIR_PAIRS, FEWEST_PAIRS = 25, 10
"""Rows are left out before there are fewer pairs than the first; below the second, errors cannot be told."""
FAIR_ROWS = 50
"""Pairs are left out before there are fewer rows."""
ENOUGH = 0.01
"""A standard error of this share of the typical distance from the base value is small enough."""
BACKGROUND_ROWS = 100
MOST_TEXT = 1_000
BATCH_ROWS, BATCH_BYTES = 4_096, 2**24
"""The model is asked about so many rows at a time, at most; they take no more memory than that."""
MAX_VALUES = 2_000_000
"""So many sums are held of each kind."""
FEWEST_AT_ONCE, GROWTH = 16, 4
"""A model shows how fast it is on so many rows, and then on so many times as many: each call has costs of its own."""
CHECKS = 20
"""At least so often within the time that is left, it is looked whether time is over."""
SHARE_OF_TIME = 0.9
"""Plans leave some time unused, since a measured speed is none that is sure."""


def accepts(estimator: Any) -> bool:
    """Whether it predicts."""
    return callable(getattr(estimator, "predict", None))


def attribute(subject: Subject) -> Attribution:
    """SHAP values of probabilities, else of scores, of a regressor's value, or of votes.

    Raises:
        ImpossibleError: there is too little time, or the model's answers are no finite numbers.
    """
    answers = answers_of(subject)
    others = subject.others.sample(BACKGROUND_ROWS, subject.seed)
    if not len(others) or not len(subject.rows):
        raise ImpossibleError("There are no events to explain, or none to compare them with.")
    speed = _speed(answers, subject.rows, others, subject)
    plan = _plan(speed, rows=_most_rows(subject, answers), seconds=_seconds_left(subject))
    walks = _Walks(answers, subject.rows.take(slice(plan.rows)), others, np.random.default_rng(subject.seed))
    _run(walks, plan, speed, subject.deadline)
    return _attribution(walks, answers, subject, len(others))


def _seconds_left(subject: Subject) -> float:
    return max(0.0, subject.deadline - time.monotonic())


def _most_rows(subject: Subject, answers: Answers) -> int:
    held = MAX_VALUES // (len(subject.names) * len(answers.outputs))
    return min(len(subject.rows), max(held, FEWEST_ROWS))


# Plans


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speed:
    """What a pair of walks costs: `points` rows to ask about, at so many seconds each; and the names of features."""

    features: int
    points: float
    seconds: float
    background: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How many rows are explained, with how many pairs of walks each."""

    rows: int
    pairs: int


def _speed(answers: Answers, rows: Table, others: Table, subject: Subject) -> _Speed:
    """Measured on mixed rows: as many as can be asked about at once, unless that takes long."""
    random = np.random.default_rng(subject.seed)
    sample = rows.take(slice(PAIRS))
    mix = mixing(sample, others)
    most = min(_batch_rows(mix), max(FEWEST_AT_ONCE, len(rows) * FEWEST_PAIRS * mix.features))
    size, seconds = 0, 0.0
    _asked(answers.ask, _mixed_at_random(mix, len(sample), len(others), 1, random))  # some work is done only once
    while not size or (size < most and GROWTH * seconds < _seconds_left(subject) / CHECKS):
        size = min(most, max(FEWEST_AT_ONCE, GROWTH * size))
        started = time.perf_counter()
        _asked(answers.ask, _mixed_at_random(mix, len(sample), len(others), size // 2, random))
        seconds = time.perf_counter() - started
    pairs = random.integers(len(sample), size=PAIRS), random.integers(len(others), size=PAIRS)
    differing = float(mix.differ(*pairs).sum()) / PAIRS
    return _Speed(
        features=mix.features,
        points=max(0.0, 2 * (differing - 1)),
        seconds=seconds / size,
        background=len(others),
    )


def _mixed_at_random(mix: Mixing, rows: int, others: int, count: int, random: np.random.Generator) -> Any:
    own = random.random((count, mix.features)) < 0.5
    return mix.mixed(random.integers(rows, size=count), random.integers(others, size=count), own)


def _batch_rows(mix: Mixing) -> int:
    return max(2, min(BATCH_ROWS, BATCH_BYTES // mix.row_bytes))


def _plan(speed: _Speed, *, rows: int, seconds: float) -> _Plan:
    """As many pairs for all rows as there is time for; then fewer rows, and then fewer pairs again.

    Raises:
        ImpossibleError: there is no time for the fewest of both.
    """
    affordable = seconds * SHARE_OF_TIME / max(speed.seconds, 1e-12) - speed.background

    def pairs_for(count: int) -> int:
        return int(min(PAIRS, (affordable / count - 1) / max(speed.points, 1e-9)))

    def rows_for(pairs: int) -> int:
        return int(min(rows, affordable / (1 + pairs * speed.points)))

    fair = min(rows, FAIR_ROWS)
    if pairs_for(rows) >= FAIR_PAIRS:
        return _Plan(rows=rows, pairs=pairs_for(rows))
    if rows_for(FAIR_PAIRS) >= fair:
        return _Plan(rows=rows_for(FAIR_PAIRS), pairs=FAIR_PAIRS)
    if pairs_for(fair) >= FEWEST_PAIRS:
        return _Plan(rows=fair, pairs=pairs_for(fair))
    if rows_for(FEWEST_PAIRS) >= min(rows, FEWEST_ROWS):
        return _Plan(rows=rows_for(FEWEST_PAIRS), pairs=FEWEST_PAIRS)
    raise ImpossibleError(_too_expensive(speed, min(rows, FEWEST_ROWS), seconds))


def _too_expensive(speed: _Speed, rows: int, seconds: float) -> str:
    needed = (speed.background + rows * (1 + FEWEST_PAIRS * speed.points)) * speed.seconds / SHARE_OF_TIME
    return (
        f"The model has {speed.features:,} features: to explain {rows} events by asking it would take about "
        f"{needed:,.0f} s, more than the {seconds:,.0f} s that there are."
    )


# Walks


@dataclass(frozen=True, slots=True)
class _Group:
    """Pairs of walks that are taken at once.

    Attributes:
        rows: (pairs,) which row each explains, ascending.
        others: (pairs,) its background row.
        lengths: (pairs,) how many features differ.
        pair: (steps,) the pair that a step belongs to, ascending.
        feature: (steps,) the feature that is switched.
        place: (steps,) which number in its walk the step has, from 0.
    """

    rows: np.ndarray
    others: np.ndarray
    lengths: np.ndarray
    pair: np.ndarray
    feature: np.ndarray
    place: np.ndarray


class _Walks:
    """Sums over pairs of walks, from which values and their errors follow."""

    def __init__(self, answers: Answers, rows: Table, others: Table, random: np.random.Generator) -> None:
        self._ask = answers.ask
        self._random = random
        self.mix = mixing(rows, others)
        self._of_rows, self._of_others = self._asked_in_parts(rows), self._asked_in_parts(others)
        self._centred = _centred(others)
        shape = (len(rows), self.mix.features)
        self._deal = _dealt(len(rows), len(others), random)
        self.pairs = np.zeros(len(rows), dtype=int)
        self._offsets, self._spreads = np.zeros(shape), np.zeros(shape)
        self._total, self._squares, self._cross = (np.zeros((*shape, self.outputs)) for _ in range(3))

    @property
    def outputs(self) -> int:
        return int(self._of_rows.shape[1])

    @property
    def base(self) -> np.ndarray:
        """(outputs,) the mean answer for the background."""
        return np.asarray(self._of_others.mean(axis=0))

    @property
    def answers(self) -> np.ndarray:
        """(rows, outputs)."""
        return np.asarray(self._of_rows)

    def _asked_in_parts(self, table: Table) -> np.ndarray:
        parts = np.array_split(np.arange(len(table)), -(-len(table) // _batch_rows(self.mix)))
        return _finite(np.concatenate([self._ask(table.take(part).rows) for part in parts if len(part)]), "events")

    def walk(self, rows: np.ndarray, batch: int) -> None:
        """Take one pair of walks for each of these rows, ascending, of which each may be there several times."""
        turns = self.pairs[rows] + _turns(rows)
        group = self._group(rows, self._deal[rows, turns % self._deal.shape[1]])
        self._add(group, self._changes(group, self._halves(group, batch)))

    def _group(self, rows: np.ndarray, others: np.ndarray) -> _Group:
        pair, feature = np.nonzero(self.mix.differ(rows, others))
        order = np.lexsort((self._random.random(len(pair)), pair))
        lengths = np.bincount(pair, minlength=len(rows))
        starts = np.cumsum(lengths) - lengths
        return _Group(rows, others, lengths, pair, feature[order], np.arange(len(pair)) - starts[pair])

    def _halves(self, group: _Group, batch: int) -> np.ndarray:
        """(steps, outputs) half of the answer after the steps before this one, less half of that on the way back.

        What is known on the way there and what on the way back at the same place are complements.
        """
        ends = (self._of_others[group.others] - self._of_rows[group.rows]) / 2
        halves: np.ndarray = ends[group.pair]
        between = np.flatnonzero(group.place)
        when = np.full((len(group.rows), self.mix.features), self.mix.features, dtype=np.int32)
        when[group.pair, group.feature] = group.place
        for part in np.array_split(between, -(-2 * len(between) // batch)) if len(between) else ():
            pair = group.pair[part]
            own = when[pair] < group.place[part, None]
            answers = _asked(self._ask, self.mix.mixed(group.rows[pair], group.others[pair], own))
            halves[part] = (answers[: len(part)] - answers[len(part) :]) / 2
        return halves

    def _changes(self, group: _Group, halves: np.ndarray) -> np.ndarray:
        """(pairs, features, outputs) by how much each feature changes the answer, the mean of both ways."""
        ends = (self._of_rows[group.rows] - self._of_others[group.others]) / 2
        after = np.empty_like(halves)
        after[:-1] = halves[1:]
        is_last = group.place == group.lengths[group.pair] - 1
        after[is_last] = ends[group.pair[is_last]]
        found = np.zeros((len(group.rows), self.mix.features, self.outputs))
        found[group.pair, group.feature] = after - halves
        return found

    def _add(self, group: _Group, changes: np.ndarray) -> None:
        first = np.flatnonzero(np.diff(group.rows, prepend=-1))
        rows, centred = group.rows[first], self._centred[group.others]
        self.pairs[rows] += np.diff(first, append=len(group.rows))
        self._offsets[rows] += np.add.reduceat(centred, first)
        self._spreads[rows] += np.add.reduceat(centred**2, first)
        self._total[rows] += np.add.reduceat(changes, first)
        self._squares[rows] += np.add.reduceat(changes**2, first)
        self._cross[rows] += np.add.reduceat(changes * centred[:, :, None], first)

    def values(self) -> tuple[np.ndarray, np.ndarray]:
        """SHAP values and their squared standard errors, both (rows, features, outputs)."""
        count = np.maximum(self.pairs, 1)[:, None, None]
        offset, spread = self._offsets / count[:, :, 0], self._spreads / count[:, :, 0]
        spread -= offset**2
        mean = self._total / count
        covariance = self._cross / count - mean * offset[:, :, None]
        usable = (spread > 1e-9 * self._centred.var(axis=0))[:, :, None] & (count > 2)
        slope = np.divide(covariance, spread[:, :, None], out=np.zeros(mean.shape), where=usable)
        noise = self._squares / count - mean**2 - slope * covariance
        variance = np.maximum(noise, 0.0) / np.maximum(count - 2, 1)
        totals = self._of_rows - self.base
        return closed(mean - slope * offset[:, :, None], variance, totals), variance

    def is_sure(self) -> bool:
        """Whether errors are small beside what the values explain."""
        _, variance = self.values()
        typical = np.abs(self._of_rows - self.base).mean()
        return bool(math.sqrt(variance.mean()) <= ENOUGH * typical)


def _centred(others: Table) -> np.ndarray:
    """(rows, features) the background less its mean; 0 where it is no number."""
    numbers = others.numbers()
    present = np.isfinite(numbers)
    sums = np.where(present, numbers, 0).sum(axis=0)
    return np.where(present, numbers - sums / np.maximum(present.sum(axis=0), 1), 0)


def _dealt(rows: int, others: int, random: np.random.Generator) -> np.ndarray:
    """(rows, at least PAIRS) background rows for each pair of walks, each round of them without replacement."""
    rounds = -(-PAIRS // others)
    return random.permuted(np.tile(np.arange(others), (rows, rounds, 1)), axis=2).reshape(rows, -1)


def _turns(rows: np.ndarray) -> np.ndarray:
    """How often the same row has been there before in an ascending list."""
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    return np.asarray(np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows))))


def _asked(ask: Callable[[Any], np.ndarray], mixed: Any) -> np.ndarray:
    """What the model answers for mixtures of two events, such as none may have been in its training."""
    try:
        answers = ask(mixed)
    except MemoryError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise ImpossibleError(f"The model fails on some mixtures of two events: {told}"[:MOST_TEXT]) from error
    return _finite(answers, "mixtures of two events")


def _finite(answers: np.ndarray, asked: str) -> np.ndarray:
    if not np.isfinite(answers).all():
        raise ImpossibleError(f"The model gives no finite number for some {asked}.")
    return answers


# Rounds


def _run(walks: _Walks, plan: _Plan, speed: _Speed, deadline: float) -> None:
    """Walk round by round until errors are small, or the plan is carried out, or time is over."""
    for done in range(0, plan.pairs, FAIR_PAIRS):
        places = np.repeat(np.arange(plan.rows), min(FAIR_PAIRS, plan.pairs - done))
        while len(places):
            batch = _batch(walks, speed, deadline)
            size = _pairs_at_once(walks, speed, batch)
            walks.walk(places[:size], batch)
            if time.monotonic() > deadline:
                return
            places = places[size:]
        if walks.is_sure():
            return


def _batch(walks: _Walks, speed: _Speed, deadline: float) -> int:
    """So many rows at a time that it is noticed soon when time is over."""
    seconds = (deadline - time.monotonic()) / CHECKS
    return int(min(_batch_rows(walks.mix), max(FEWEST_AT_ONCE, seconds / max(speed.seconds, 1e-12))))


def _pairs_at_once(walks: _Walks, speed: _Speed, batch: int) -> int:
    """As many pairs of walks as make a batch; fewer where what they change would take more memory."""
    held = BATCH_BYTES / (8 * walks.mix.features * walks.outputs)
    return max(1, int(min(batch / max(speed.points, 1), held)))


def _attribution(walks: _Walks, answers: Answers, subject: Subject, others: int) -> Attribution:
    """What has been found of the first rows, all of which have pairs enough."""
    done = int(np.argmin(np.append(walks.pairs >= min(FEWEST_PAIRS, PAIRS), False)))
    if done < min(len(walks.pairs), FEWEST_ROWS):
        raise ImpossibleError(f"The model took longer than expected: time was over after {done} events.")
    values, variance = walks.values()
    return Attribution(
        method=METHOD,
        output=answers.output,
        outputs=answers.outputs,
        values=values[:done],
        base_values=walks.base,
        answers=walks.answers[:done],
        value_error=float(np.sqrt(variance[:done].mean())),
        background_rows=others,
        answer=lambda numbers: answers.ask(subject.rows.given(numbers)),
    )


PERMUTATION = Explainer(accepts=accepts, attribute=attribute, needs_numbers=False)
