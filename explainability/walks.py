"""Walks from background events to those that are explained, feature by feature, and what follows from the answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainability.attribution import ImpossibleError, closed
from explainability.mixing import Mixing, mixing
from explainability.tables import Table

BATCH_ROWS, BATCH_BYTES = 4_096, 2**24
"""The model is asked about so many rows at a time, at most; they take no more memory than that."""
MOST_TEXT = 1_000

Ask = Callable[[Any], np.ndarray]
"""What a model answers, (rows, outputs), for rows in the form that it gets them."""


def batch_rows(mix: Mixing) -> int:
    """How many mixed rows the model is asked about at a time."""
    return max(2, min(BATCH_ROWS, BATCH_BYTES // mix.row_bytes))


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


class Walks:
    """Sums over pairs of walks, from which values and their errors follow."""

    def __init__(self, ask: Ask, rows: Table, others: Table, *, pairs: int, random: np.random.Generator) -> None:
        """No walk has been taken yet; the ends of all are known.

        Args:
            ask: the model, for rows in the form that it gets them.
            rows: to be explained.
            others: the background.
            pairs: how many pairs of walks a row may have.
            random: numbers.

        Raises:
            ImpossibleError: the answers are no finite numbers.
        """
        self._ask = ask
        self._random = random
        self.mix = mixing(rows, others)
        self._of_rows, self._of_others = self._asked_in_parts(rows), self._asked_in_parts(others)
        self._centred = _centred(others)
        shape = (len(rows), self.mix.features)
        self._deal = _dealt(len(rows), len(others), pairs, random)
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
        parts = np.array_split(np.arange(len(table)), -(-len(table) // batch_rows(self.mix)))
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
            answers = asked(self._ask, self.mix.mixed(group.rows[pair], group.others[pair], own))
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

    @property
    def doubt(self) -> float:
        """The standard error of a value, root mean square over all, relative to the typical distance from the base."""
        _, variance = self.values()
        typical = np.abs(self._of_rows - self.base).mean()
        return float(np.sqrt(variance.mean()) / typical) if typical else 0.0


def _centred(others: Table) -> np.ndarray:
    """(rows, features) the background less its mean; 0 where it is no number."""
    numbers = others.numbers()
    present = np.isfinite(numbers)
    sums = np.where(present, numbers, 0).sum(axis=0)
    return np.where(present, numbers - sums / np.maximum(present.sum(axis=0), 1), 0)


def _dealt(rows: int, others: int, pairs: int, random: np.random.Generator) -> np.ndarray:
    """(rows, at least so many pairs) background rows for each pair of walks, each round of them without replacement."""
    rounds = -(-pairs // others)
    return random.permuted(np.tile(np.arange(others), (rows, rounds, 1)), axis=2).reshape(rows, -1)


def _turns(rows: np.ndarray) -> np.ndarray:
    """How often the same row has been there before in an ascending list."""
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    return np.asarray(np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows))))


def asked(ask: Ask, mixed: Any) -> np.ndarray:
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
