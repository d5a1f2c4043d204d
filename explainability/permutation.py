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

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainability.answers import Answers, answers_of
from explainability.attribution import FEWEST_ROWS, Attribution, Explainer, ImpossibleError, Subject
from explainability.mixing import Mixing, mixing
from explainability.tables import Table
from explainability.walks import BATCH_BYTES, Walks, asked, batch_rows

METHOD = "permutation sampling"
PAIRS = 100
"""Pairs of walks for each row, where there is time: more accurate than 486 steps of shap's sampler, which takes the
whole background at each."""
PAIRS_IN_ALL, MOST_PAIRS = 100_000, 1_000
"""Few rows are walked more often, until there are so many pairs in all, or for each: importances are surer of many
values than of few."""
FAIR_PAIRS, FEWEST_PAIRS = 25, 10
"""Rows are left out before there are fewer pairs than the first; below the second, errors cannot be told."""
FAIR_ROWS = 50
"""Pairs are left out before there are fewer rows."""
ENOUGH = 0.005
"""A standard error of this share of the typical distance from the base value is small enough."""
BACKGROUND_ROWS = 100
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
    walks = _walks(plan, answers, others, subject)
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
    """Measured on mixed rows, once the model is warm: as many as can be asked about at once, unless that takes long."""
    random = np.random.default_rng(subject.seed)
    sample = rows.take(slice(PAIRS))
    mix = mixing(sample, others)
    most = min(batch_rows(mix), max(FEWEST_AT_ONCE, len(rows) * FEWEST_PAIRS * mix.features))
    size, seconds = 0, 0.0
    asked(answers.ask, _mixed_at_random(mix, len(sample), len(others), min(most, FEWEST_AT_ONCE) // 2, random))
    while not size or (size < most and GROWTH * seconds < _seconds_left(subject) / CHECKS):
        size = min(most, max(FEWEST_AT_ONCE, GROWTH * size))
        started = time.perf_counter()
        asked(answers.ask, _mixed_at_random(mix, len(sample), len(others), size // 2, random))
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


def _plan(speed: _Speed, *, rows: int, seconds: float) -> _Plan:
    """As many pairs for all rows as there is time for; then fewer rows, and then fewer pairs again.

    Raises:
        ImpossibleError: there is no time for the fewest of both.
    """
    affordable = seconds * SHARE_OF_TIME / max(speed.seconds, 1e-12) - speed.background

    def pairs_for(count: int) -> int:
        return int(min(_most_pairs(count), (affordable / count - 1) / max(speed.points, 1e-9)))

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


def _most_pairs(rows: int) -> int:
    return max(PAIRS, min(MOST_PAIRS, PAIRS_IN_ALL // rows))


def _too_expensive(speed: _Speed, rows: int, seconds: float) -> str:
    needed = (speed.background + rows * (1 + FEWEST_PAIRS * speed.points)) * speed.seconds / SHARE_OF_TIME
    return (
        f"The model has {speed.features:,} features: to explain {rows} events by asking it would take about "
        f"{needed:,.0f} s, more than the {seconds:,.0f} s that there are."
    )


# Rounds


def _walks(plan: _Plan, answers: Answers, others: Table, subject: Subject) -> Walks:
    rows, random = subject.rows.take(slice(plan.rows)), np.random.default_rng(subject.seed)
    return Walks(answers.ask, rows, others, pairs=plan.pairs, random=random)


def _run(walks: Walks, plan: _Plan, speed: _Speed, deadline: float) -> None:
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
        if walks.doubt <= ENOUGH:
            return


def _batch(walks: Walks, speed: _Speed, deadline: float) -> int:
    """So many rows at a time that it is noticed soon when time is over."""
    seconds = (deadline - time.monotonic()) / CHECKS
    return int(min(batch_rows(walks.mix), max(FEWEST_AT_ONCE, seconds / max(speed.seconds, 1e-12))))


def _pairs_at_once(walks: Walks, speed: _Speed, batch: int) -> int:
    """As many pairs of walks as make a batch; fewer where what they change would take more memory."""
    held = BATCH_BYTES / (8 * walks.mix.features * walks.outputs)
    return max(1, int(min(batch / max(speed.points, 1), held)))


def _attribution(walks: Walks, answers: Answers, subject: Subject, others: int) -> Attribution:
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
