"""The words and numbers on figures."""

import pytest

from explainability.figures import words


@pytest.mark.parametrize(
    ("meaning", "axis", "effect"),
    [
        ("probability", "Probability of dent", "Effect on the probability of dent"),
        ("margin", "Margin of dent", "Effect on the margin of dent"),
        ("vote", "Vote for dent", "Effect on the vote for dent"),
        ("value", "dent", "Effect on dent"),
        ("", "Answer for dent", "Effect on the answer for dent"),
    ],
)
def test_axes_say_what_they_mean(meaning: words.Meaning, axis: str, effect: str) -> None:
    assert words.answer_axis(meaning, "dent") == axis
    assert words.effect_axis(meaning, "dent") == effect


@pytest.mark.parametrize(
    ("meaning", "outputs", "axis"),
    [
        ("probability", ("dent",), "Mean absolute effect on the probability of dent"),
        ("probability", ("dent", "scratch"), "Mean absolute effect on the probability, summed over classes"),
        ("value", ("speed_kmh",), "Mean absolute effect on speed_kmh"),
        ("value", ("x", "y"), "Mean absolute effect on the values, summed over outputs"),
    ],
)
def test_an_importance_says_what_it_is_the_mean_of(meaning: words.Meaning, outputs: tuple[str, ...], axis: str) -> None:
    assert words.importance_axis(meaning, outputs) == axis


def test_only_what_is_no_everyday_word_is_explained() -> None:
    assert "higher is more" in words.note("margin")
    assert "1 for the predicted class" in words.note("vote")
    assert words.note("probability") == words.note("value") == words.note("") == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (12.0, "12"),
        (-1204.0, "\N{MINUS SIGN}1,204"),
        (0.11832, "0.118"),
        (-0.5, "\N{MINUS SIGN}0.500"),
        (1234.5, "1,234"),
        (0.00042, "0.000420"),
        (3.4e-07, "3.40e-07"),
        (2.5e9, "2.50e+09"),
        (float("nan"), "missing"),
        (float("inf"), "missing"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert words.number(value) == text


def test_changes_have_a_sign() -> None:
    assert [words.signed(value) for value in (0.25, -0.25, 0.0)] == ["+0.250", "\N{MINUS SIGN}0.250", "0"]


def test_counts_are_words_as_long_as_they_are_short() -> None:
    assert words.count(1, "feature") == "one feature"
    assert words.count(12, "feature") == "twelve features"
    assert words.count(1284, "event") == "1,284 events"
    assert words.others(1) == "1 other feature"
    assert words.others(7) == "7 other features"


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_ends_with_and(parts: list[str], text: str) -> None:
    assert words.listed(parts) == text
