"""Which outputs tell why an event was predicted so, and where two ways of explaining disagree."""

import pytest

from atlas_web.why import agreement, shown_outputs
from explainability.figures import Opinions

OUTPUTS = ("dent", "scratch", "crack")


@pytest.mark.parametrize(
    ("truth", "predicted", "shown"),
    [
        ("dent", "dent", [0]),
        ("dent", "crack", [2, 0]),
        ("gone", "crack", [2]),
        ("dent, crack", "dent, scratch", [1, 2]),
        ("none", "none", [0]),
    ],
)
def test_the_predicted_class_comes_before_the_true_one_and_of_labels_those_that_are_wrong(
    truth: str, predicted: str, shown: list[int]
) -> None:
    assert shown_outputs(OUTPUTS, truth, predicted) == shown


@pytest.mark.parametrize(("truth", "predicted"), [("damaged", "intact"), ("damaged", "damaged"), ("1.5", "2.5")])
def test_a_single_output_tells_it_all(truth: str, predicted: str) -> None:
    assert shown_outputs(("damaged",), truth, predicted) == [0]


def opinions(shap: list[float], lime: list[float]) -> Opinions:
    names = [f"f{number}" for number in range(len(shap))]
    return Opinions(
        axis="", note="", event="e", features=names, given=["1"] * len(names), hidden=0, shap=shap, lime=lime
    )


def test_features_that_are_pushed_opposite_ways_are_named() -> None:
    assert agreement(opinions([1.0, -0.5, 0.4], [0.9, 0.5, -0.3])) == (
        "They disagree on f1 and f2: do not trust either of them there."
    )


def test_effects_that_hardly_matter_are_no_disagreement() -> None:
    assert agreement(opinions([1.0, 0.05], [0.9, -0.5])) == "Both say the same of all features that matter."
    assert agreement(opinions([0.0], [0.0])) == "Both say the same of all features that matter."
