"""Metrics on parts of the events: what the parts are, and that each value is the one of its events alone."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from atlas.grouped import AT_ONCE
from atlas.intervals import wilson
from atlas.metrics import Predictions, default_metrics, measure, metric, metrics_for
from atlas.results import MetricValue, SliceMetrics
from atlas.slices import EMPTY, FEWEST_ROWS, LONGEST, MISSING, MOST_VALUES, NO_TIME, slice_metrics, slices_of
from atlas.vocabulary import Task
from tests.predictions import ROWS, sample

NO_HURRY = 60.0
CARS = np.array(["A1", "B2", "C3"])[np.random.default_rng(8).integers(0, 3, ROWS)]


def part(predictions: Predictions, rows: np.ndarray) -> Predictions:
    return Predictions(
        labels=predictions.labels[rows],
        scores=None if predictions.scores is None else predictions.scores[rows],
        probabilities=None if predictions.probabilities is None else predictions.probabilities[rows],
        classes=predictions.classes,
    )


def sliced(column: Any, task: Task = Task.BINARY, names: tuple[str, ...] = (), **options: Any) -> list[SliceMetrics]:
    truth, predictions = sample(task, len(column))
    names = names or default_metrics(task)
    return list(slice_metrics({"car": column}, truth, predictions, names, **({"seconds": NO_HURRY} | options)))


def sizes(column: Any) -> dict[str, int]:
    """Names and numbers of rows of a column's slices."""
    return {each.value: len(each.rows) for each in slices_of("car", column)}


def assert_as_alone(
    found: tuple[SliceMetrics, ...], cars: np.ndarray, truth: np.ndarray, predictions: Predictions
) -> None:
    """Each value, or lack of one, is that of the slice's events alone."""
    assert found
    for each in found:
        rows = np.flatnonzero(cars == each.value)
        assert each.rows == len(rows)
        expected = measure([metric(value.name) for value in each.metrics], truth[rows], part(predictions, rows))
        for value, alone in zip(each.metrics, expected, strict=True):
            assert (value.value is None, value.reason) == (alone.value is None, alone.reason)
            assert value.value is None or value.value == pytest.approx(alone.value, rel=1e-9, abs=1e-12), value.name


@pytest.mark.parametrize("task", list(Task))
def test_every_metric_on_a_slice_is_the_one_of_its_events_alone(task: Task) -> None:
    truth, predictions = sample(task)
    names = [entry.name for entry in metrics_for(task)]
    found = slice_metrics({"car": CARS}, truth, predictions, names, seconds=NO_HURRY)
    assert [each.value for each in found] == sorted({*CARS.tolist()}, key=lambda car: -CARS.tolist().count(car))
    assert_as_alone(found, CARS, truth, predictions)


def cars_of(truth: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A car for the right predictions of each class, one for the wrong ones, and one for some events of all."""
    cars = np.where(truth == labels, np.char.add("only ", truth.astype(str)), "wrong")
    cars[::4] = "all"
    return cars


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_a_slice_of_one_class_has_reasons_where_there_are_no_values(task: Task) -> None:
    truth, predictions = sample(task)
    cars = cars_of(truth, predictions.labels)
    names = [entry.name for entry in metrics_for(task)]
    found = slice_metrics({"car": cars}, truth, predictions, names, seconds=NO_HURRY)
    assert_as_alone(found, cars, truth, predictions)
    only = {value.name: value for value in next(each for each in found if each.value == "only a").metrics}
    assert only["roc_auc_ovr"].value is None
    assert "class" in only["roc_auc_ovr"].reason


def test_labels_that_the_model_does_not_know_are_its_errors_in_a_slice_too() -> None:
    truth, predictions = sample(Task.BINARY)
    truth = truth.copy()
    truth[:9] = "unheard of"
    names = [entry.name for entry in metrics_for(Task.BINARY)]
    chosen = [name for name in names if measure([metric(name)], truth, predictions)[0].value is not None]
    assert "accuracy" in chosen
    found = slice_metrics({"car": CARS}, truth, predictions, chosen, seconds=NO_HURRY)
    for each in found:
        rows = np.flatnonzero(each.value == CARS)
        value = next(value.value for value in each.metrics if value.name == "accuracy")
        assert value == pytest.approx((truth[rows] == predictions.labels[rows]).mean())


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_probabilities_that_do_not_add_up_are_refused_as_scikit_learn_does(task: Task) -> None:
    truth, predictions = sample(task)
    assert predictions.probabilities is not None
    odd = Predictions(
        labels=predictions.labels, probabilities=0.9 * predictions.probabilities, classes=predictions.classes
    )
    found = slice_metrics({"car": CARS}, truth, odd, default_metrics(task), seconds=NO_HURRY)
    assert_as_alone(found, CARS, truth, odd)


def test_ties_among_scores_count_half() -> None:
    truth, predictions = sample(Task.BINARY, decimals=1)
    found = slice_metrics({"car": CARS}, truth, predictions, ["roc_auc", "average_precision"], seconds=NO_HURRY)
    assert_as_alone(found, CARS, truth, predictions)


def test_what_the_model_does_not_give_is_the_reason() -> None:
    truth, predictions = sample(Task.BINARY)
    labels_only = Predictions(labels=predictions.labels, classes=predictions.classes)
    for each in slice_metrics({"car": CARS}, truth, labels_only, ["log_loss", "f1"]):
        log_loss, f1 = each.metrics
        assert (log_loss.value, log_loss.reason) == (
            None,
            "It needs probabilities, and the model has no predict_proba.",
        )
        assert f1.value is not None


def test_a_metric_of_the_author_s_own_has_no_slices() -> None:
    (first, *_) = sliced(CARS, names=("cost_of_misses", "f1"))
    assert [value.name for value in first.metrics] == ["f1"]


def test_a_share_has_wilsons_interval() -> None:
    for each in sliced(CARS, names=("accuracy",)):
        (value,) = each.metrics
        assert value.value is not None
        expected = wilson(value.value * each.rows, each.rows)
        assert expected is not None
        assert (value.low, value.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "balanced_accuracy"])
def test_other_intervals_hold_their_value_and_are_wider_on_fewer_rows(name: str) -> None:
    few, many = np.array(["few"] * 60 + ["many"] * 1_940), Task.BINARY
    wide, narrow = (
        next(value for value in each.metrics) for each in sorted(sliced(few, many, (name,)), key=lambda each: each.rows)
    )
    for value in (wide, narrow):
        assert value.value is not None
        assert value.low is not None
        assert value.high is not None
        assert value.low <= value.value <= value.high
    assert _width(wide) > 2 * _width(narrow)


def _width(value: MetricValue) -> float:
    assert value.low is not None
    assert value.high is not None
    return value.high - value.low


def test_without_time_what_is_counted_is_there_and_the_rest_says_why_not() -> None:
    found = sliced(CARS, names=("f1", "d2_log_loss_score", "log_loss"), seconds=0)
    for each in found:
        f1, d2, log_loss = each.metrics
        assert f1.low is not None
        assert (d2.value, d2.reason) == (None, NO_TIME)
        assert log_loss.value is not None
        assert log_loss.low is None


def test_the_first_metric_s_intervals_come_first() -> None:
    names = ("roc_auc", "log_loss", "average_precision", "balanced_accuracy", "matthews_corrcoef")
    truth, predictions = sample(Task.BINARY, 20_000, decimals=9)
    cars = np.arange(20_000) % 20
    found = slice_metrics({"car": cars}, truth, predictions, names, seconds=0.15)
    told = [
        sum(value.low is not None for value in of_metric) for of_metric in zip(*(e.metrics for e in found), strict=True)
    ]
    assert told[0] >= max(told[1:])


# What the slices are ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        lambda cars: cars.astype(object),
        pa.array,
        lambda cars: pa.chunked_array([cars[:70], cars[70:]]),
        lambda cars: pa.chunked_array([cars[:70], cars[70:]]).dictionary_encode(),
        lambda cars: pa.array(cars.tolist(), pa.large_string()),
    ],
    ids=["texts", "objects", "Arrow", "chunks", "dictionary", "large texts"],
)
def test_a_column_may_have_any_form(form: Any) -> None:
    assert sizes(form(CARS)) == {car: CARS.tolist().count(car) for car in ("A1", "B2", "C3")}


def test_truth_values_and_small_numbers_have_a_slice_each() -> None:
    assert sizes(np.array([True] * 6 + [False] * 9)) == {"false": 9, "true": 6}
    assert sizes(np.array([4] * 7 + [2] * 5)) == {"4": 7, "2": 5}
    assert sizes(np.array([0.5] * 7 + [2.0] * 5)) == {"0.5": 7, "2": 5}


@pytest.mark.parametrize("numbers", [np.arange(100), np.linspace(0, 99, 100), np.arange(100)[::-1].astype("f4")])
def test_many_numbers_are_put_into_ranges_of_as_many_events(numbers: np.ndarray) -> None:
    found = sizes(numbers)
    assert list(found) == ["0\N{EN DASH}19", "19\N{EN DASH}39", "39\N{EN DASH}59", "59\N{EN DASH}79", "79\N{EN DASH}99"]
    assert all(18 <= rows <= 22 for rows in found.values())


def test_a_number_at_the_end_of_a_range_belongs_to_the_next_one() -> None:
    found = {each.value: each.rows for each in slices_of("speed", np.arange(100))}
    assert 19 in found["19\N{EN DASH}39"]
    assert 99 in found["79\N{EN DASH}99"]


def test_ranges_of_close_numbers_have_digits_enough() -> None:
    assert len(sizes(1_000_000 + np.arange(100))) == 5
    assert "1000000\N{EN DASH}1000019" in sizes(1_000_000 + np.arange(100))


def test_events_without_a_value_are_a_slice_of_their_own_the_last_one() -> None:
    texts = np.array(["A1"] * 6 + [None] * 9, dtype=object)
    assert list(sizes(texts).items()) == [("A1", 6), (MISSING, 9)]
    numbers = np.r_[np.arange(100.0), [np.nan] * 7]
    assert list(sizes(numbers).items())[-1] == (MISSING, 7)
    assert sizes(pa.array([None] * 8, pa.float64())) == {MISSING: 8}


def test_few_events_make_no_slice() -> None:
    assert sizes(np.array(["A1"] * FEWEST_ROWS + ["B2"] * (FEWEST_ROWS - 1))) == {"A1": FEWEST_ROWS}
    assert sliced(np.array([f"car {number}" for number in range(ROWS)])) == []


def test_of_many_values_the_most_frequent_have_slices() -> None:
    cars = np.repeat([f"car {number}" for number in range(40)], np.arange(10, 50))
    assert list(sizes(cars)) == [f"car {number}" for number in range(39, 39 - MOST_VALUES, -1)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1.0]] * 9),
        pa.array([None] * 9),
        pa.array([{"a": 1}] * 9),
        np.array(["2026-01-01"] * 9, dtype="M8[s]"),
    ],
    ids=["lists", "nothing", "structs", "times"],
)
def test_other_columns_have_no_slices(column: Any) -> None:
    assert sizes(column) == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [("", EMPTY), ("  ", EMPTY), ("a\nb\x00c", "a b c"), ("x" * 300, "x" * (LONGEST - 1) + "…"), (" A1 ", "A1")],
    ids=["empty", "blank", "unprintable", "long", "padded"],
)
def test_a_slice_s_name_is_one_line(text: str, name: str) -> None:
    found, _ = sliced(pa.array([text] * 20 + ["other"] * 10))
    assert (found.value, found.rows) == (name, 20)


def test_without_columns_there_are_no_slices() -> None:
    truth, predictions = sample(Task.BINARY)
    assert slice_metrics({}, truth, predictions, ["f1"]) == ()


def test_every_default_metric_but_those_that_need_each_event_is_computed_at_once() -> None:
    """A benchmark of a fast model has a quarter of a second for all slices."""
    names = {name for task in Task if task.is_classification for name in default_metrics(task)}
    assert names - AT_ONCE.keys() == {"jaccard_samples"}


@pytest.mark.parametrize("column", [np.array(["A1"] * ROWS), pa.nulls(ROWS, pa.string())])
def test_a_column_in_which_all_events_are_alike_has_no_slices(column: Any) -> None:
    assert sliced(column) == []
