"""Bars of importances, their history and the comparison of two models."""

import numpy as np
import pytest

from atlas.results import Explanation, Importance
from explainability.figures import comparison, importance, importance_history
from tests.explained import explained
from tests.figures import explanation

FEATURES = tuple(
    Importance(feature=name, mean_absolute=mean, standard_error=error)
    for name, mean, error in (
        ("peak", (0.1, 0.3), (0.01, 0.02)),
        ("rms", (0.2, 0.1), (0.01, 0.01)),
        ("tilt", (0.05, 0.05), ()),
        ("age", (0.02, 0.0), (0.001, 0.0)),
    )
)
KNOWN = Explanation(method="sampling", output="probability", outputs=("dent", "crack"), rows=100, importances=FEATURES)


def alone(**means: float) -> Explanation:
    """An explanation of a model with one output."""
    found = tuple(
        Importance(feature=name, mean_absolute=(mean,), standard_error=(0.01,)) for name, mean in means.items()
    )
    return Explanation(method="linear", output="margin", outputs=("dent",), rows=9, importances=found)


def test_bars_are_stacked_by_output_and_add_up() -> None:
    found = importance(KNOWN)
    assert found.features == ["peak", "rms", "tilt", "age"]
    assert found.outputs == ["dent", "crack"]
    assert found.values == [[0.1, 0.2, 0.05, 0.02], [0.3, 0.1, 0.05, 0.0]]
    assert found.totals == pytest.approx([0.4, 0.3, 0.1, 0.02])


def test_whiskers_are_intervals_of_95_percent_where_the_error_is_known() -> None:
    assert importance(KNOWN).whiskers == [
        pytest.approx(1.96 * 0.03),
        pytest.approx(1.96 * 0.02),
        None,
        pytest.approx(1.96 * 0.001),
    ]


def test_the_least_important_features_are_summed_up() -> None:
    found = importance(KNOWN, most=2)
    assert (found.features, found.hidden) == (["peak", "rms", "2 other features"], 2)
    assert [values[-1] for values in found.values] == pytest.approx([0.07, 0.05])
    assert sum(found.totals) == pytest.approx(sum(importance(KNOWN).totals))
    assert found.whiskers[-1] is None


def test_more_outputs_than_can_be_told_apart_become_others() -> None:
    known = explanation(explained(classes=10))
    found, whole = importance(known), importance(explanation(explained(classes=3)))
    assert len(found.outputs) == len(found.values) == 5
    assert found.outputs[-1] == "6 others"
    assert len(whole.outputs) == 3
    sums = np.array(found.values).sum(axis=0)
    np.testing.assert_allclose(sums, [each.total for each in known.importances], rtol=1e-5)


def test_the_outputs_that_matter_most_are_kept_in_their_own_order() -> None:
    means = (0.1, 0.9, 0.2, 0.8, 0.3, 0.7)
    one = Importance(feature="peak", mean_absolute=means)
    found = importance(KNOWN.model_copy(update={"outputs": tuple("abcdef"), "importances": (one,)}))
    assert found.outputs == ["b", "d", "e", "f", "2 others"]


def test_columns_are_shown_where_they_differ_from_features() -> None:
    column = Importance(feature="shock", mean_absolute=(0.3, 0.4))
    known = KNOWN.model_copy(update={"column_importances": (column,)})
    assert importance(known, of_columns=True).features == ["shock"]
    assert importance(known).features[0] == "peak"
    assert importance(KNOWN, of_columns=True).features[0] == "peak"


def test_bars_are_told_in_words() -> None:
    assert importance(KNOWN).label == "Bar chart: peak 0.400, rms 0.300, tilt 0.100 and one smaller feature"
    assert importance(KNOWN, most=2).label == "Bar chart: peak 0.400, rms 0.300 and two smaller features"
    assert importance(KNOWN, most=1).label == "Bar chart: peak 0.400 and three smaller features"
    assert importance(alone(peak=0.5)).label == "Bar chart: peak 0.500"


def test_a_margin_is_explained() -> None:
    found = importance(alone(peak=0.5))
    assert found.axis == "Mean absolute effect on the margin of dent"
    assert found.note.startswith("A margin is")


def test_nothing_important_is_no_error() -> None:
    found = importance(Explanation(method="linear", output="value", outputs=("speed",)))
    assert (found.features, found.totals, found.label) == ([], [], "Bar chart: no features")


def test_a_history_has_shares_with_gaps_where_nothing_is_known() -> None:
    impossible = Explanation(impossible="It is too slow.")
    versions = ["v1", "v2", "v3", "v4"]
    found = importance_history(versions, [alone(peak=0.3, rms=0.1), None, impossible, alone(rms=0.4, age=0.6)])
    lines = {line.name: line for line in found.lines}
    assert list(lines) == ["peak", "rms", "age"]
    assert lines["peak"].values == [pytest.approx(0.75), None, None, None]
    assert lines["rms"].values == [pytest.approx(0.25), None, None, pytest.approx(0.4)]
    assert lines["rms"].low[0] == pytest.approx(0.25 - 1.96 * 0.01 / 0.4)
    assert lines["rms"].high[3] == pytest.approx(0.4 + 1.96 * 0.01)
    assert lines["rms"].low[1] is lines["rms"].high[1] is None


def test_no_share_is_taken_for_less_than_nothing() -> None:
    found = importance_history(["v1"], [alone(peak=1.0, dust=0.001)])
    assert found.lines[1].low == [0.0]


def test_a_history_keeps_to_the_features_that_matter_most() -> None:
    found = importance_history(["v1"], [alone(a=0.4, b=0.3, c=0.2, d=0.1)], most=2)
    assert ([line.name for line in found.lines], found.hidden) == (["a", "b"], 2)


def test_a_history_is_told_in_words() -> None:
    first, second = alone(peak=0.3, rms=0.1), alone(peak=0.1, rms=0.3)
    percent = "\N{NARROW NO-BREAK SPACE}%"
    both = f"peak from 75{percent} on v1 to 25{percent} on v2 and rms from 25{percent} on v1 to 75{percent} on v2"
    assert importance_history(["v1", "v2"], [first, second]).label == f"Line chart: {both}"
    once = f"peak 75{percent} on v1 and rms 25{percent} on v1"
    assert importance_history(["v1"], [first]).label == f"Line chart: {once}"
    assert importance_history(["v1"], [None]).label == "Line chart: no version is explained"


def test_two_models_are_compared_by_shares_whatever_they_are_shares_of() -> None:
    found = comparison(KNOWN, alone(peak=30.0, rms=10.0, tilt=0.0, age=0.0), ("Forest", "Linear"))
    assert found.features == ["peak", "rms", "tilt", "age"]
    assert found.first == pytest.approx([0.4 / 0.82, 0.3 / 0.82, 0.1 / 0.82, 0.02 / 0.82])
    assert found.second == [0.75, 0.25, 0.0, 0.0]
    assert found.first_whiskers[:3] == [pytest.approx(1.96 * 0.03 / 0.82), pytest.approx(1.96 * 0.02 / 0.82), None]
    assert "differ most in peak" in found.label


def test_what_only_one_model_has_is_said() -> None:
    found = comparison(alone(peak=0.4, rms=0.6), alone(rms=0.5, age=0.5), ("Forest", "Linear"))
    assert (found.only_first, found.only_second) == (["peak"], ["age"])
    assert found.features == ["rms", "age", "peak"]
    assert (found.first[1], found.second[2]) == (None, None)
    assert found.label.endswith("; only Forest has one feature: peak; only Linear has one feature: age")


def test_models_of_unlike_features_are_compared_by_the_columns_behind_them() -> None:
    columns = (Importance(feature="shock", mean_absolute=(0.7,)), Importance(feature="rms", mean_absolute=(0.3,)))
    first = alone(shock_peak=0.4, shock_rms=0.3, rms=0.3).model_copy(update={"column_importances": columns})
    found = comparison(first, alone(shock=0.5, rms=0.5), ("Forest", "Linear"))
    assert found.features == ["shock", "rms"]
    assert found.first == pytest.approx([0.7, 0.3])
    assert not found.only_first
    assert not found.only_second


def test_models_without_a_feature_in_common_are_no_error() -> None:
    found = comparison(alone(a=1.0), alone(b=1.0), ("Forest", "Linear"), most=1)
    assert (found.features, found.hidden) == (["a"], 1)
    assert "no feature in common" in found.label


def test_a_table_tells_each_bar_and_what_its_parts_add_up_to() -> None:
    head, rows = importance(KNOWN).table
    assert head == ("Feature", "dent", "crack", "Together")
    assert [row[0] for row in rows] == ["peak", "rms", "tilt", "age"]
    assert rows[0][1:] == ("0.100", "0.300", "0.400")
    assert importance(alone(peak=0.2)).table[0] == ("Feature", "dent")
