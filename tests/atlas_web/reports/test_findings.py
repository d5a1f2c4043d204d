"""The findings of a report in words."""

from typing import Any

import pytest

from atlas.results import MetricValue
from atlas_web.reports.findings import number, verdicts
from storage import queries
from tests import stage
from tests.atlas_web.reports.conftest import measured, scored, version
from tests.samples import result
from ui.formats import MINUS, NOTHING

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ON_THE_WHOLE = (
    "It is worse than on v1 by more than noise (0.900 to 0.790). "
    "Since v2 it did not change by more than noise (0.800 to 0.790)."
)


def said(model: int, **changes: Any) -> list[tuple[str, str]]:
    """The findings and their tones."""
    found = queries.model_report(model, **changes)
    assert found is not None
    return [(verdict.tone, verdict.text) for verdict in verdicts(found)]


def test_how_good_a_model_is_comes_first() -> None:
    tone, text = said(measured(0.8))[0]
    assert tone == "info"
    assert text == (
        "F1 is 0.800 (95 % interval 0.780 to 0.820) on impacts v1, over 30 test events. "
        "It predicted 27 of 30 events right, 90.0\N{NARROW NO-BREAK SPACE}%."
    )


def test_one_version_says_nothing_of_a_change() -> None:
    assert said(measured(0.8))[1] == (
        "info",
        "It is measured on one version, so nothing can be said of how it changes.",
    )


@pytest.mark.parametrize(
    ("scores", "tone", "text"),
    [
        ((0.8, 0.9), "good", "It is better than on v1 by more than noise (0.800 to 0.900)."),
        ((0.8, 0.7), "bad", "It is worse than on v1 by more than noise (0.800 to 0.700)."),
        ((0.8, 0.79), "info", "Since v1 it did not change by more than noise (0.800 to 0.790)."),
        ((0.8, 0.8), "info", "It is as good as on v1."),
        (
            (0.9, 0.8, 0.79),
            "bad",
            ON_THE_WHOLE,
        ),
    ],
    ids=["better", "worse", "noise", "the same", "worse, but not lately"],
)
def test_a_change_is_one_beyond_noise_alone(scores: tuple[float, ...], tone: str, text: str) -> None:
    assert said(measured(*scores))[1] == (tone, text)


def test_without_intervals_nobody_says_what_is_noise() -> None:
    found = said(measured(0.8, 0.9, around=None))
    assert found[1] == ("info", "It is better than on v1 (0.800 to 0.900); no interval says whether that is noise.")


def test_where_less_is_better_a_lower_value_is_better() -> None:
    model = stage.add_model(metrics=("log_loss",), primary_metric="log_loss")
    for place, value in enumerate((0.5, 0.2), 1):
        loss = MetricValue(name="log_loss", value=value, low=value - 0.1, high=value + 0.1, greater_is_better=False)
        stage.finish(model, version(place), result(metrics=(loss,)))
    assert said(model)[1] == ("good", "It is better than on v1 by more than noise (0.500 to 0.200).")


def test_a_score_without_a_value_has_its_reason() -> None:
    assert said(measured(None)) == [
        ("warn", "F1 has no value on impacts v1, over 30 test events: no damage seen"),
    ]


def test_a_version_without_a_value_is_passed_over() -> None:
    assert said(measured(0.8, None, 0.9))[1][1] == "It is better than on v1 by more than noise (0.800 to 0.900)."


def test_the_best_model_hears_who_is_within_noise() -> None:
    model = measured(0.9)
    measured(0.89, name="Tree-1.0.0-1")
    measured(0.5, name="Guess-1.0.0-1")
    assert said(model)[2] == (
        "good",
        "It is the best of 3 models of “damage detector” on v1; 1 other model is within noise of it.",
    )


@pytest.mark.parametrize(
    ("best", "around", "tone", "text"),
    [
        (0.91, 0.02, "info", ", within noise of the best, Tree-1.0.0 with 0.910."),
        (0.99, 0.02, "warn", ", behind the best, Tree-1.0.0 with 0.990, by more than noise."),
        (0.99, None, "info", ". The best is Tree-1.0.0 with 0.990; no interval says whether the difference is noise."),
    ],
    ids=["within noise", "beyond noise", "nobody knows"],
)
def test_a_model_behind_the_best_hears_by_how_much(best: float, around: float | None, tone: str, text: str) -> None:
    model = measured(0.9)
    measured(best, name="Tree-1.0.0-1", around=around)
    assert said(model)[2] == (tone, f"It is 2nd of 2 models of “damage detector” on v1{text}")


def test_models_that_are_tied_share_a_place() -> None:
    model = measured(0.9)
    measured(0.9, name="Tree-1.0.0-1")
    assert "It is the joint best of 2 models" in said(model)[2][1]


def test_what_is_newer_than_all_results_is_told() -> None:
    model = measured(0.8)
    stage.fail(model, version(2), "It ran out of memory.")
    assert said(model)[-1] == (
        "warn",
        "On impacts v2, the newest version, it could not be measured: It ran out of memory.",
    )


def test_a_model_that_waits_says_so() -> None:
    model = stage.add_model()
    stage.queue(model, version(1))
    assert said(model) == [("info", "On impacts v1, the newest version, it waits to be measured.")]


def test_a_model_without_any_benchmark_says_so() -> None:
    assert said(stage.add_model()) == [
        ("info", "It has not been measured on impacts yet, so this report says only what the model is.")
    ]


def test_an_older_failure_is_not_told() -> None:
    model = stage.add_model()
    stage.fail(model, version(1))
    stage.finish(model, version(2), scored(0.8))
    assert not any("could not be measured" in text for _, text in said(model))


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [
        (0.8125, False, "0.812"),
        (123.456, False, "123.5"),
        (None, False, NOTHING),
        (250.0, True, "+250"),
        (-0.5, True, f"{MINUS}0.500"),
    ],
)
def test_numbers_have_as_many_digits_as_they_need(value: float | None, sign: bool, text: str) -> None:
    assert number(value, sign=sign) == text
