"""How far a running benchmark is, and how long it may still take. Pure functions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atlas.states import Phase
from atlas_web import words
from storage.queries import Duration

_AFTER_PREDICTING = (Phase.MEASURING, Phase.EXPLAINING)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the page of a running benchmark shows: a sentence, rows done and in all, and the time left in words."""

    phase: str
    done: int
    total: int
    left: str


def progress(benchmark: Any, past: Duration | None, now: datetime) -> Progress:
    """How far a running benchmark is.

    Args:
        benchmark: a row that runs, with its dataset version.
        past: how long the model took the last time, if it was done before.
        now: the time.
    """
    rows = benchmark.dataset_version.evaluation_rows
    total = benchmark.phase_total or rows
    done = total if benchmark.phase in _AFTER_PREDICTING else benchmark.phase_done
    _, sentence = words.phase(benchmark)
    elapsed = (now - benchmark.started).total_seconds()
    return Progress(sentence or "Starting.", min(done, total), total, _left(benchmark, past, rows, elapsed))


def _left(benchmark: Any, past: Duration | None, rows: int, elapsed: float) -> str:
    if benchmark.phase == Phase.PREDICTING and 0 < benchmark.phase_done <= benchmark.phase_total:
        return _left_of_prediction(benchmark.phase_done / benchmark.phase_total, past, elapsed)
    if past is None:
        return "How long it takes is not known: no benchmark of this model is done."
    expected = past.wall_seconds + past.predict_seconds * (rows / max(past.rows, 1) - 1)
    if elapsed > expected:
        return f"That takes longer than expected: by its last benchmark, {words.about(expected)} in all."
    return f"{words.about(expected - elapsed).capitalize()} left, by its last benchmark."


def _left_of_prediction(share: float, past: Duration | None, elapsed: float) -> str:
    """The rows that are done tell how long the others take; what follows takes as long as the last time."""
    before = min(past.load_seconds, elapsed) if past else 0.0
    predicting = (elapsed - before) * (1 - share) / share
    if past is None:
        return f"{words.about(predicting).capitalize()} until all rows are predicted; what follows is not known."
    after = max(past.wall_seconds - past.load_seconds - past.predict_seconds, 0)
    return f"{words.about(predicting + after).capitalize()} left."
