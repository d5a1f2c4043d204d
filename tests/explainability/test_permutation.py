"""Permutation sampling against Shapley values by their definition, and what it does where it cannot be done well."""

import time
from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.vocabulary import Task
from explainability import permutation, walks
from explainability.attribution import Attribution, ImpossibleError, Subject
from explainability.permutation import attribute
from explainability.tables import Table

FEATURES = 8
Function = Callable[[np.ndarray], np.ndarray]


class Regressor:
    """A function as a model."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self.asked: list[int] = []

    def predict(self, rows: np.ndarray) -> np.ndarray:
        self.asked.append(len(rows))
        return self._function(np.asarray(rows))


def subject(model: Any, rows: Any, background: Any, *, seconds: float = 60.0, seed: int = 0) -> Subject:
    """A regression to explain."""
    names = tuple(map(str, getattr(rows, "columns", range(np.shape(rows)[1]))))
    table, others = Table(rows, names), Table(background, names)
    return Subject(
        estimator=model,
        features=table.numbers(),
        background_mean=others.mean,
        names=names,
        task=Task.REGRESSION,
        classes=(),
        table=table,
        background=lambda: others,
        deadline=time.monotonic() + seconds,
        seed=seed,
    )


def found(function: Function, rows: Any, background: Any, **options: Any) -> Attribution:
    return attribute(subject(Regressor(function), rows, background, **options))


def shapley_values(function: Function, rows: np.ndarray, background: np.ndarray) -> np.ndarray:
    """(rows, features) by the definition: over all subsets of the other features, with all of the background."""
    features = rows.shape[1]
    values = np.zeros(rows.shape)
    for place, row in enumerate(rows):
        answers = {}
        for known in range(2**features):
            mixed = background.copy()
            own = [feature for feature in range(features) if known >> feature & 1]
            mixed[:, own] = row[own]
            answers[known] = function(mixed).mean()
        for feature in range(features):
            others = [other for other in range(features) if other != feature]
            for size in range(features):
                for chosen in combinations(others, size):
                    known = sum(1 << other for other in chosen)
                    gain = answers[known | 1 << feature] - answers[known]
                    values[place, feature] += gain / (features * comb(features - 1, size))
    return values


def curved(rows: np.ndarray) -> np.ndarray:
    """Interactions of two and three features, steps and saturation."""
    product = rows[:, 0] * rows[:, 1] + rows[:, 2] * rows[:, 3] * rows[:, 4]
    return np.asarray(np.tanh(product) + 2 * (rows[:, 5] > 0.3) * rows[:, 6] + rows[:, 7] ** 2)


def normal(count: int, seed: int, features: int = FEATURES) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, features))


def test_values_are_shapley_values_within_the_stated_error() -> None:
    rows, background = normal(12, 0), normal(40, 1)
    exact = shapley_values(curved, rows, background)
    sampled = found(curved, rows, background)
    error = np.sqrt(np.mean((sampled.values[:, :, 0] - exact) ** 2))
    assert 0 < error < 1.2 * sampled.value_error
    assert sampled.value_error < 0.1 * np.abs(exact).max()
    assert sampled.base_values == pytest.approx([curved(background).mean()])


def test_stated_errors_are_no_smaller_than_errors_with_few_pairs_of_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, background = normal(12, 0), normal(40, 1)
    exact = shapley_values(curved, rows, background)
    monkeypatch.setattr(permutation, "PAIRS", permutation.FEWEST_PAIRS)
    runs = [found(curved, rows, background, seed=seed) for seed in range(10)]
    errors = [np.sqrt(np.mean((run.values[:, :, 0] - exact) ** 2)) for run in runs]
    assert np.mean(errors) < 1.1 * np.mean([run.value_error for run in runs])


def test_linear_functions_are_explained_exactly_with_a_quarter_of_the_pairs() -> None:
    rows, background, slopes = normal(100, 0), normal(30, 1), np.arange(8.0)
    model = Regressor(lambda given: given @ slopes + 3)
    sampled = attribute(subject(model, rows, background))
    np.testing.assert_allclose(sampled.values[:, :, 0], (rows - background.mean(axis=0)) * slopes, atol=1e-9)
    assert sum(model.asked) < 2 * 100 * permutation.FAIR_PAIRS * 2 * 7


def test_the_same_seed_gives_the_same_values_and_another_one_others() -> None:
    rows, background = normal(12, 0), normal(40, 1)
    first, again, other = (found(curved, rows, background, seed=seed).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 30), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_values_add_up_to_the_answer_less_the_base(features: int, rows: int, others: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    weights = random.normal(size=(features, 2))

    def function(given: np.ndarray) -> np.ndarray:
        return np.asarray(np.sin(given @ weights) * given[:, :1])

    explained_rows = random.integers(-2, 3, size=(rows, features)).astype(float)
    background = random.integers(-2, 3, size=(others, features)).astype(float)
    sampled = found(function, explained_rows, background, seed=seed % 7)
    np.testing.assert_allclose(sampled.base_values, function(background).mean(axis=0), atol=1e-9)
    sums = sampled.base_values + sampled.values.sum(axis=1)
    np.testing.assert_allclose(sums, function(explained_rows)[: len(sums)], atol=1e-9)
    assert len(sums) == rows


def test_features_that_do_nothing_or_never_differ_have_no_value() -> None:
    rows, background = normal(12, 0), normal(40, 1)
    rows[:, 2] = background[:, 2] = 5.0
    sampled = found(lambda given: given[:, 0] * given[:, 1] * given[:, 2], rows, background)
    np.testing.assert_array_equal(sampled.values[:, 2:], 0)


def test_without_a_deadline_everything_is_computed() -> None:
    sampled = found(curved, normal(12, 0), normal(40, 1), seconds=np.inf)
    assert len(sampled.values) == 12


def test_a_constant_model_has_no_values_and_no_error() -> None:
    sampled = found(lambda given: np.full(len(given), 7.0), normal(12, 0), normal(5, 1))
    np.testing.assert_array_equal(sampled.values, 0)
    assert (sampled.value_error, sampled.base_values.tolist()) == (0, [7])


def test_an_event_that_is_the_only_one_of_the_background_has_no_values() -> None:
    rows = np.ones((12, 3))
    np.testing.assert_array_equal(found(lambda given: given.sum(axis=1), rows, rows[:1]).values, 0)


def test_missing_values_are_the_same_as_missing_values() -> None:
    rows, background = normal(12, 0), normal(5, 1)
    rows[:, 0] = background[:, 0] = np.nan
    sampled = found(lambda given: np.nan_to_num(given).sum(axis=1), rows, background)
    np.testing.assert_array_equal(sampled.values[:, 0], 0)
    assert np.abs(sampled.values[:, 1:]).min() > 0


# Features that are no numbers


def test_columns_of_lists_and_texts_are_exchanged_as_a_whole() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "signal": [random.normal(size=16).tolist() for _ in range(60)],
            "road": pd.Categorical(random.choice(["wet", "dry"], 60)),
            "time": pd.Timestamp("2024-05-01") + pd.to_timedelta(random.integers(0, 99, 60), unit="h"),
            "count": random.integers(0, 9, 60),
        }
    )

    class Mixed:
        def predict(self, rows: pd.DataFrame) -> np.ndarray:
            assert rows.dtypes.equals(frame.dtypes)
            energy = np.array([np.square(signal).sum() for signal in rows["signal"]])
            return np.asarray(energy + 5 * (rows["road"] == "wet") + rows["count"], dtype=float)

    sampled = attribute(subject(Mixed(), frame.head(20), frame))
    count = frame["count"].to_numpy()
    np.testing.assert_allclose(sampled.values[:, 3, 0], count[:20] - count.mean(), atol=1e-6)
    np.testing.assert_array_equal(sampled.values[:, 2], 0)
    wet = (frame["road"] == "wet").to_numpy()
    np.testing.assert_allclose(sampled.values[:, 1, 0], 5 * (wet[:20] - wet.mean()), atol=0.5)


def test_types_of_numbers_are_kept() -> None:
    frame = pd.DataFrame({"whole": np.arange(20), "flag": np.arange(20) % 2 == 0, "part": np.linspace(0, 1, 20)})

    class Strict:
        def predict(self, rows: pd.DataFrame) -> np.ndarray:
            assert rows.dtypes.equals(frame.dtypes)
            return np.asarray(rows["whole"] + rows["flag"] + rows["part"], dtype=float)

    sampled = attribute(subject(Strict(), frame, frame))
    np.testing.assert_allclose(sampled.values[:, 0, 0], frame["whole"] - 9.5, atol=1e-9)


# Budgets


class Clock:
    """Time that passes as the model says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds_per_row: float) -> None:
        self.now, self._seconds = time.monotonic(), seconds_per_row
        self.rows = 0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        self.rows += len(rows)
        self.now += len(rows) * self._seconds
        return curved(rows)


@pytest.mark.parametrize(
    ("seconds_per_row", "rows", "pairs"),
    [
        (1e-9, 200, 500),
        (30 / (200 * 60 * 14), 200, 50),
        (30 / (90 * 25 * 14), 80, 25),
        (30 / (50 * 17 * 14), 50, 15),
        (30 / (30 * 10 * 14), 26, 10),
    ],
)
def test_first_pairs_are_saved_then_rows_then_pairs_and_then_rows_again(
    monkeypatch: pytest.MonkeyPatch, seconds_per_row: float, rows: int, pairs: int
) -> None:
    clock = Clock(monkeypatch, seconds_per_row)
    started = clock.now
    sampled = attribute(subject(clock, normal(200, 0), normal(40, 1), seconds=30))
    assert len(sampled.values) == pytest.approx(rows, rel=0.1)
    assert clock.rows / (len(sampled.values) * 14) == pytest.approx(pairs, rel=0.2)
    assert clock.now - started <= 30


def test_too_little_time_for_ten_events_is_a_reason_with_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 0.1)
    with pytest.raises(ImpossibleError) as raised:
        attribute(subject(clock, normal(200, 0), normal(40, 1), seconds=30))
    assert str(raised.value) == (
        "The model has 8 features: to explain 10 events by asking it would take about 161 s, more than the 26 s that "
        "there are."
    )


def test_a_model_that_grows_slower_than_it_was_is_stopped_between_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-5)

    def slower(rows: np.ndarray) -> np.ndarray:
        clock.now += 1.0 if clock.rows > 30_000 else 0.0
        return clock.predict(rows)

    started = clock.now
    sampled = attribute(subject(Regressor(slower), normal(200, 0), normal(40, 1), seconds=30))
    assert clock.now - started < 40
    assert permutation.FEWEST_PAIRS <= len(sampled.values) <= 200


def test_a_model_that_grows_hopelessly_slow_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-3)

    def slower(rows: np.ndarray) -> np.ndarray:
        clock.now += 40.0 if clock.rows > 500 else 0.0
        return clock.predict(rows)

    with pytest.raises(ImpossibleError, match=r"took longer than expected: time was over after \d events"):
        attribute(subject(Regressor(slower), normal(200, 0), normal(40, 1), seconds=30))


def test_answers_that_are_no_finite_numbers_are_a_reason() -> None:
    rows, background = normal(12, 0), normal(40, 1)
    known = {row.tobytes() for row in np.concatenate([rows, background])}

    def known_alone(given: np.ndarray) -> np.ndarray:
        return np.array([1.0 if row.tobytes() in known else np.nan for row in given])

    with pytest.raises(ImpossibleError, match="no finite number for some mixtures of two events"):
        found(known_alone, rows, background)


def test_a_model_that_fails_on_mixtures_of_events_is_quoted() -> None:
    rows, background = normal(12, 0), normal(40, 1)
    known = {row.tobytes() for row in np.concatenate([rows, background])}

    def known_alone(given: np.ndarray) -> np.ndarray:
        if any(row.tobytes() not in known for row in given):
            raise ValueError("no neighbour is near")
        return np.ones(len(given))

    with pytest.raises(ImpossibleError, match="fails on some mixtures of two events: ValueError: no neighbour is near"):
        found(known_alone, rows, background)


def test_a_model_is_asked_about_many_rows_at_a_time_and_never_about_more_than_memory_holds() -> None:
    model = Regressor(lambda given: np.sin(given).sum(axis=1))
    attribute(subject(model, normal(60, 0), normal(40, 1)))
    assert max(model.asked) <= walks.BATCH_ROWS
    assert np.median(model.asked) > walks.BATCH_ROWS / 2


def test_a_walk_that_is_too_long_for_memory_is_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walks, "BATCH_BYTES", 8 * FEATURES * 4)
    rows, background = normal(10, 0), normal(5, 1)
    model = Regressor(curved)
    sampled = attribute(subject(model, rows, background))
    assert max(model.asked) <= 5
    monkeypatch.undo()
    np.testing.assert_allclose(sampled.values, found(curved, rows, background).values, atol=0.6)
