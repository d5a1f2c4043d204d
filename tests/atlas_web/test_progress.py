"""What the page of a running benchmark says of how far it is and how long it may take."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from atlas.states import Phase, State
from atlas_web.progress import progress
from storage.queries import Duration
from tests.samples import NOON

PAST = Duration(wall_seconds=100, load_seconds=10, predict_seconds=60, rows=1_000)


def running(phase: str = "", done: int = 0, total: int = 0, *, rows: int = 1_000) -> Any:
    return SimpleNamespace(
        state=State.RUNNING,
        phase=phase,
        phase_done=done,
        phase_total=total,
        started=NOON,
        dataset_version=SimpleNamespace(evaluation_rows=rows),
        get_phase_display=lambda: phase.capitalize(),
    )


def left(benchmark: Any, seconds: float, past: Duration | None = PAST) -> str:
    return progress(benchmark, past, NOON + timedelta(seconds=seconds)).left


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        ("", "Starting."),
        (Phase.WAITING_FOR_DATA, "Waiting for its model file and data."),
        (Phase.LOADING, "Loading the model."),
        (Phase.PREDICTING, "Predicting."),
        (Phase.MEASURING, "Measuring the predictions."),
        (Phase.EXPLAINING, "Explaining the predictions."),
    ],
)
def test_each_phase_is_a_sentence(phase: str, sentence: str) -> None:
    assert progress(running(phase), None, NOON).phase == sentence


def test_the_rows_that_are_done_are_counted_and_all_are_once_they_are_measured() -> None:
    shown = progress(running(Phase.PREDICTING, 400, 1_000), None, NOON)
    assert (shown.phase, shown.done, shown.total) == ("Predicting: 400 of 1,000 rows are done.", 400, 1_000)
    assert progress(running(Phase.LOADING), None, NOON).done == 0
    assert progress(running(Phase.EXPLAINING), None, NOON).done == 1_000


def test_without_any_past_nothing_is_promised() -> None:
    assert left(running(Phase.LOADING), 5, None) == (
        "How long it takes is not known: no benchmark of this model is done."
    )


def test_the_last_benchmark_tells_how_long_this_one_takes() -> None:
    assert left(running(Phase.LOADING), 5) == "About 2 min left, by its last benchmark."
    assert left(running(Phase.EXPLAINING), 95) == "A few seconds left, by its last benchmark."


def test_more_rows_take_longer_to_predict_but_not_to_load_and_explain() -> None:
    assert left(running(Phase.LOADING, rows=10_000), 0) == "About 11 min left, by its last benchmark."


def test_the_rows_that_are_done_tell_more_than_the_past() -> None:
    assert left(running(Phase.PREDICTING, 500, 1_000), 310) == "About 6 min left."
    assert left(running(Phase.PREDICTING, 500, 1_000), 310, None) == (
        "About 5 min until all rows are predicted; what follows is not known."
    )


def test_what_takes_longer_than_the_last_time_is_said() -> None:
    assert left(running(Phase.EXPLAINING), 200) == (
        "That takes longer than expected: by its last benchmark, about 2 min in all."
    )


def test_a_clock_that_runs_behind_is_no_obstacle() -> None:
    assert left(running(Phase.PREDICTING, 1, 1_000), -5) == "About 30 s left."
    assert left(running(Phase.LOADING), -5) == "About 2 min left, by its last benchmark."
