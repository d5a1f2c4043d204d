"""Which slice is named as the reason, and in which words."""

from typing import Any

import pytest

from atlas.paired import Difference, Finding
from atlas.results import BenchmarkResult, MetricValue, SliceMetrics
from atlas_web.drops import parts
from atlas_web.drops.asked import Asked
from atlas_web.drops.parts import Parts
from tests.samples import result
from ui.formats import NARROW_SPACE


def metric(value: float, name: str, half: float = 0.02) -> MetricValue:
    return MetricValue(name=name, value=value, greater_is_better=True, low=value - half, high=value + half)


def outcome(whole: float, name: str = "accuracy", **cars: tuple[int, float]) -> BenchmarkResult:
    """A result on 100 events: for each car its events, and the metric on them."""
    slices = [
        SliceMetrics(column="car", value=car, rows=rows, metrics=(metric(value, name),))
        for car, (rows, value) in cars.items()
    ]
    costs = result().costs.model_copy(update={"predictions": 100})
    return result(metrics=(metric(whole, name),), slice_metrics=tuple(slices), costs=costs)


def slices(before: BenchmarkResult, now: BenchmarkResult) -> Parts:
    old, new = before.metrics[0], now.metrics[0]
    nothing: dict[str, Any] = {
        "earlier": (),
        "before": None,
        "best": None,
        "reference": None,
        "shared": None,
        "problems": (),
    }
    change = Difference(value=(new.value or 0) - (old.value or 0), finding=Finding.WORSE)
    found = parts.slices(
        Asked(now=new, version=2, change=change, is_checked=True, is_due=False, **nothing), before, now
    )
    assert found is not None
    return found


def said(found: Parts) -> str:
    return found.finding.replace(NARROW_SPACE, " ")


def test_a_slice_that_is_answered_worse() -> None:
    found = slices(outcome(0.9, A=(80, 0.9), B=(20, 0.9)), outcome(0.8, A=(80, 0.9), B=(20, 0.4)))
    part = "100 % of the fall comes from car B, which is 20 % of the events"
    assert said(found) == f"{part}: Accuracy fell from 0.900 to 0.400, more than noise."
    assert found.reason
    assert found.reason.weight == pytest.approx(0.8)


def test_a_slice_that_there_is_more_of() -> None:
    found = slices(outcome(0.86, A=(90, 0.9), B=(10, 0.5)), outcome(0.7, A=(50, 0.9), B=(50, 0.5)))
    assert said(found).startswith(
        "70 % of the fall comes from car B (Accuracy 0.500), which now has 50 % of the events instead of 10 %."
    )


def test_a_slice_that_is_new() -> None:
    found = slices(outcome(0.9, A=(100, 0.9)), outcome(0.7, A=(50, 0.9), B=(50, 0.5)))
    assert "comes from car B (Accuracy 0.500), which now has 50 % of the events and had none, or few." in said(found)


def test_a_fall_of_all_slices_alike_is_the_fault_of_none() -> None:
    found = slices(outcome(0.9, A=(80, 0.9), B=(20, 0.9)), outcome(0.7, A=(80, 0.7), B=(20, 0.7)))
    assert said(found) == "None of the slices explains more of the fall than its share of the events."
    assert found.reason is None


def test_where_parts_do_not_add_up_the_one_that_fell_most_is_named() -> None:
    before = outcome(0.9, "f1", A=(80, 0.9), B=(20, 0.9))
    found = slices(before, outcome(0.8, "f1", A=(80, 0.9), B=(20, 0.4)))
    assert not found.adds_up
    assert said(found) == "car B fell most: F1 fell from 0.900 to 0.400, more than noise."
    assert said(slices(before, before)) == "None of the slices does worse than before by more than noise."
