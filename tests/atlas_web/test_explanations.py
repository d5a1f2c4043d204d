"""What an explanation says, in words."""

from typing import Any

import pytest

from atlas.results import Explanation, Importance
from atlas_web import explanations


def found(**changes: Any) -> Explanation:
    fields: dict[str, Any] = {
        "method": "tree SHAP",
        "output": "probability",
        "outputs": ("dent", "scratch"),
        "rows": 1000,
        "of_rows": 8517,
        "picked_rows": 250,
        "background": "reference",
        "background_rows": 200,
        "seconds": 3.2,
        "importances": tuple(importance(f"f{number}", 8 - number) for number in range(8)),
    }
    return Explanation.model_validate(fields | changes)


def importance(name: str, size: float) -> Importance:
    return Importance(feature=name, mean_absolute=(size / 2, size / 2))


def test_the_facts_say_how_it_was_made_and_of_what() -> None:
    assert explanations.facts(found(), 0) == [
        ("Method", "tree SHAP"),
        ("Values add up to", "the probability of dent"),
        ("Unknown means", "200 rows of its training data, from the bundle"),
        ("Explained", "1,000 of 8,517 events, and 250 of the worst"),
        ("Error of a value", "none, they are exact"),
        ("Took", "3.2 s"),
    ]


def test_a_model_that_counted_its_training_rows_says_so() -> None:
    own = found(background="model", background_rows=0)
    assert ("Unknown means", "the model's own counts of training rows") in explanations.facts(own, 0)


def test_what_nobody_recorded_is_left_out() -> None:
    bare = found(method="", background="", background_rows=0, seconds=0, picked_rows=0, of_rows=1000, outputs=())
    assert explanations.facts(bare, 0) == [
        ("Explained", "all 1,000 events"),
        ("Error of a value", "none, they are exact"),
    ]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("probability", "the probability of dent"),
        ("margin", "the margin of dent"),
        ("vote", "the vote for dent"),
        ("value", "dent"),
    ],
)
def test_what_values_add_up_to_is_said_plainly(output: str, says: str) -> None:
    assert explanations.adds_up_to(found(output=output), 0) == says


def test_a_margin_is_explained_and_a_probability_needs_no_words() -> None:
    assert "A margin is what the model turns into its answer" in explanations.note(found(output="margin"))
    assert explanations.note(found()) == ""


def test_the_verdict_names_the_most_important_features_and_their_share() -> None:
    first, sure = explanations.verdict(found())
    assert first == "Of the features, f0, f1 and f2 have 58\N{NARROW NO-BREAK SPACE}% of the effects on the prediction."
    assert sure == "The values are exact."


def test_the_verdict_names_columns_of_the_dataset_too_and_at_most_half_of_them() -> None:
    columns = (importance("shock", 3), importance("speed", 1))
    features, shown, _ = explanations.verdict(found(column_importances=columns))
    assert features.startswith("Of the model's features, f0, f1 and f2 have")
    assert shown == "Of the dataset's columns, shock has 75\N{NARROW NO-BREAK SPACE}% of the effects on the prediction."


def test_estimates_say_how_sure_they_are() -> None:
    assert explanations.verdict(found(value_error=0.00213))[-1] == (
        "The values are estimates: each has a standard error of about 0.0021."
    )
    assert ("Error of a value", "0.0021, one standard deviation") in explanations.facts(found(value_error=0.00213), 0)


def test_a_model_that_nothing_moves_is_no_reason_to_divide_by_zero() -> None:
    still = found(importances=(importance("f0", 0),))
    assert explanations.verdict(still)[0] == "None of the features moves the prediction."
