"""The words of the pages."""

from types import SimpleNamespace

import pytest

from atlas.bundle import UNKNOWN
from atlas.states import State
from atlas_web import words
from tests.samples import manifest


def test_a_metric_has_its_title_and_an_author_s_own_metric_its_name() -> None:
    assert words.metric_title("f1") == "F1"
    assert words.metric_title("cost_of_misses") == "cost_of_misses"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("DamageForest-1.4.0-1625660010", "DamageForest-1.4.0"),
        ("DamageForest-beta", "DamageForest-beta"),
        ("1625660010", "1625660010"),
        ("-1625660010", "-1625660010"),
    ],
)
def test_a_short_name_has_no_time_stamp(name: str, short: str) -> None:
    assert words.short_name(name) == short


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (1113, "1,113th")],
)
def test_places_are_written_as_people_say_them(number: int, text: str) -> None:
    assert words.ordinal(number) == text


def test_a_count_agrees_with_its_noun() -> None:
    assert words.plural(1, "model") == "1 model"
    assert words.plural(1284, "model") == "1,284 models"
    assert words.plural(0, "entry", "entries") == "0 entries"


def test_a_long_message_is_cut_and_its_lines_are_joined() -> None:
    assert words.clipped("no\nsuch   column") == "no such column"
    assert words.clipped("a" * 500) == "a" * (words.LONG - 1) + "…"


def test_a_difference_needs_both_values() -> None:
    assert words.difference(3.0, 1.0) == 2.0
    assert words.difference(3.0, None) is None
    assert words.difference(None, 1.0) is None


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ({}, (State.QUEUED, "no data yet")),
        ({"trouble": "no column"}, (State.INCOMPATIBLE, "not possible")),
        ({"possible": 3, "done": 1, "running": 1, "unfinished": 2}, (State.RUNNING, "1 of 3")),
        ({"possible": 3, "done": 1, "failed": 1, "unfinished": 1}, (State.QUEUED, "1 of 3")),
        ({"possible": 3, "done": 2, "failed": 1}, (State.FAILED, "2 of 3")),
        ({"possible": 3, "done": 3, "trouble": "no column"}, (State.DONE, "3 of 3")),
    ],
)
def test_progress_is_the_state_that_matters_most(numbers: dict[str, object], shown: tuple[State, str]) -> None:
    none = {"possible": 0, "done": 0, "running": 0, "unfinished": 0, "failed": 0, "trouble": None}
    assert words.progress(SimpleNamespace(**(none | numbers))) == shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a few seconds"),
        (9.9, "a few seconds"),
        (12, "about 10 s"),
        (54, "about 50 s"),
        (55, "about 1 min"),
        (200, "about 3 min"),
        (3_569, "about 59 min"),
        (3_600, "about 1 h"),
        (9_000, "about 2.5 h"),
    ],
)
def test_an_estimate_is_no_more_exact_than_it_is_sure(seconds: float, text: str) -> None:
    assert words.about(seconds) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "scikit-learn 1.9.1, Python 3.11.7"),
        ({"python": UNKNOWN}, "scikit-learn 1.9.1"),
        ({"python": UNKNOWN, "framework": {"name": "joblib", "version": UNKNOWN}}, "joblib"),
    ],
    ids=["all", "library", "nothing"],
)
def test_what_a_model_is_made_with_is_told_as_far_as_it_is_known(changes: dict[str, object], text: str) -> None:
    assert words.made_with(manifest(**changes)) == text
