"""Where a model fell: slices and classes by hand, and sums that must be the whole change."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.intervals import Interval, wilson
from atlas.paired import Finding
from atlas.results import (
    BenchmarkResult,
    ClassMetrics,
    Costs,
    Estimate,
    Explanation,
    MetricValue,
    Provenance,
    SliceMetrics,
)
from monitoring.slices import Fall, fallen_classes, fallen_slices

Counts = Mapping[str, tuple[int, int]]
"""Of each value: how many events are right, and how many there are."""
cars = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(0, 50), st.integers(50, 200)), min_size=1)


def ends(hits: int, rows: int) -> Interval:
    found = wilson(hits, rows)
    assert found is not None
    return found


def share(hits: int, rows: int, name: str = "accuracy", *, greater: bool = True) -> MetricValue:
    found = ends(hits, rows)
    return MetricValue(name=name, value=hits / rows, greater_is_better=greater, low=found.low, high=found.high)


def result(
    columns: Mapping[str, Counts], name: str = "accuracy", *, greater: bool = True, classes: Counts | None = None
) -> BenchmarkResult:
    counts = classes or next(iter(columns.values()))
    hits, rows = (sum(each[place] for each in counts.values()) for place in range(2))
    return BenchmarkResult(
        metrics=(share(hits, rows, name, greater=greater),),
        slice_metrics=tuple(
            SliceMetrics(column=column, value=value, rows=of, metrics=(share(right, of, name, greater=greater),))
            for column, values in columns.items()
            for value, (right, of) in values.items()
        ),
        class_metrics=tuple(recognised(label, *each) for label, each in (classes or {}).items()),
        costs=Costs(
            wall_seconds=1,
            cpu_seconds=1,
            load_seconds=1,
            predict_seconds=1,
            peak_memory_bytes=1,
            model_size_bytes=1,
            predictions=rows,
        ),
        explanation=Explanation(),
        provenance=Provenance(machine="", python="", atlas="", libraries={}),
    )


def recognised(label: str, hits: int, rows: int) -> ClassMetrics:
    found = ends(hits, rows)
    recall = Estimate(value=hits / rows, low=found.low, high=found.high)
    return ClassMetrics(label=label, rows=rows, precision=Estimate(), recall=recall, f1=Estimate())


def named(falls: list[Fall]) -> dict[str, Fall]:
    return {fall.value: fall for fall in falls}


def test_the_slice_that_fell_explains_the_fall() -> None:
    before = result({"car": {"red": (450, 500), "blue": (450, 500)}})
    after = result({"car": {"red": (450, 500), "blue": (300, 500)}})
    first, second = fallen_slices(before, after, "accuracy")
    assert (first.value, first.difference.finding) == ("blue", Finding.WORSE)
    assert first.within == pytest.approx(-0.15)
    assert first.mixture == 0.0
    assert first.explained == pytest.approx(1)
    assert (second.difference.finding, second.explained) == (Finding.WITHIN_NOISE, 0.0)


def test_a_slice_that_became_common_explains_a_fall_though_the_model_is_as_good_on_it_as_before() -> None:
    before = result({"car": {"red": (855, 900), "blue": (50, 100)}})
    after = result({"car": {"red": (475, 500), "blue": (250, 500)}})
    falls = named(fallen_slices(before, after, "accuracy"))
    middle = (0.905 + 0.725) / 2
    assert falls["blue"].within == 0.0
    assert falls["blue"].mixture == pytest.approx(0.4 * (0.5 - middle))
    assert falls["red"].mixture == pytest.approx(-0.4 * (0.95 - middle))
    assert {each.difference.finding for each in falls.values()} == {Finding.WITHIN_NOISE}


def test_a_slice_that_is_new_explains_by_its_share_alone() -> None:
    before = result({"car": {"red": (90, 100)}})
    after = result({"car": {"red": (90, 100), "new": (10, 100)}})
    first = fallen_slices(before, after, "accuracy")[0]
    assert (first.value, first.before, first.difference.finding) == ("new", None, Finding.CANNOT_TELL)
    assert first.mixture == pytest.approx(0.5 * (0.1 - 0.7))
    assert first.explained == pytest.approx(0.75)


@given(cars, cars)
def test_what_the_slices_of_a_column_explain_adds_up_to_the_whole(older: Counts, newer: Counts) -> None:
    before, after = result({"car": older}), result({"car": newer})
    falls = fallen_slices(before, after, "accuracy")
    change = (after.metrics[0].value or 0.0) - (before.metrics[0].value or 0.0)
    if older.keys() & newer.keys():
        assert sum((fall.within or 0) + (fall.mixture or 0) for fall in falls) == pytest.approx(change, abs=1e-9)
    else:
        assert falls == []


@given(cars, cars)
def test_the_other_way_round_every_fall_is_a_rise(older: Counts, newer: Counts) -> None:
    before, after = result({"car": older}), result({"car": newer})
    there, back = named(fallen_slices(before, after, "accuracy")), named(fallen_slices(after, before, "accuracy"))
    assert there.keys() == back.keys()
    opposite = {Finding.WORSE: Finding.BETTER, Finding.BETTER: Finding.WORSE}
    for value, fall in there.items():
        assert back[value].within == pytest.approx(-(fall.within or 0), abs=1e-12)
        assert back[value].mixture == pytest.approx(-(fall.mixture or 0), abs=1e-12)
        finding = fall.difference.finding
        assert back[value].difference.finding is opposite.get(finding, finding)


def test_of_an_error_a_rise_is_the_fall() -> None:
    before = result({"car": {"red": (100, 500), "blue": (100, 500)}}, "mean_absolute_error", greater=False)
    after = result({"car": {"red": (100, 500), "blue": (300, 500)}}, "mean_absolute_error", greater=False)
    first = fallen_slices(before, after, "mean_absolute_error")[0]
    assert (first.value, first.difference.finding) == ("blue", Finding.WORSE)
    assert first.explained == pytest.approx(1)


def test_what_is_no_average_does_not_add_up_and_is_ranked_by_the_falls_of_slices() -> None:
    before = result({"car": {"red": (90, 100), "blue": (90, 100)}}, "f1_macro")
    after = result({"car": {"red": (80, 100), "blue": (60, 100)}}, "f1_macro")
    falls = fallen_slices(before, after, "f1_macro")
    assert [fall.value for fall in falls] == ["blue", "red"]
    assert {(fall.mixture, fall.explained) for fall in falls} == {(None, None)}


def test_many_slices_are_corrected_for() -> None:
    one, fell = {"red": (100, 120), "blue": (100, 120)}, {"red": (100, 120), "blue": (85, 120)}
    alone = fallen_slices(result({"car": one}), result({"car": fell}), "accuracy")[0]
    same = {f"column {number}": one for number in range(20)}
    among = fallen_slices(result({"car": one, **same}), result({"car": fell, **same}), "accuracy")[0]
    assert (alone.difference.finding, among.difference.finding) == (Finding.WORSE, Finding.WITHIN_NOISE)
    assert among.difference.p == alone.difference.p


def test_columns_with_nothing_in_common_but_what_is_missing_are_left_out() -> None:
    before = result({"age": {"1 to 5": (40, 50), "missing": (5, 10)}})
    after = result({"age": {"2 to 7": (40, 50), "missing": (5, 10)}})
    assert fallen_slices(before, after, "accuracy") == []
    assert fallen_slices(before, before, "f1_macro") == []


def test_classes_explain_accuracy_by_their_recall() -> None:
    before = result({}, classes={"intact": (480, 500), "damaged": (400, 500)})
    after = result({}, classes={"intact": (480, 500), "damaged": (250, 500)})
    first, second = fallen_classes(before, after)
    assert (first.column, first.value, first.difference.finding) == ("", "damaged", Finding.WORSE)
    assert first.difference.value == pytest.approx(-0.3)
    assert first.explained == pytest.approx(1)
    assert second.explained == 0.0


def test_classes_of_events_that_may_have_several_explain_no_share() -> None:
    before, after = (
        result({}, classes={"intact": (90, 100), "damaged": (hits, 100)}).model_copy(
            update={"costs": result({"car": {"red": (1, 150)}}).costs}
        )
        for hits in (90, 60)
    )
    assert [fall.explained for fall in fallen_classes(before, after)] == [None, None]
