"""What becomes of a run that failed: of a benchmark, or of predictions. Both have the same columns for it."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db.models import Model, QuerySet

from atlas.results import Failure
from atlas.states import State
from storage.retries import Retries

Row = TypeVar("Row", bound=Model)


def store_failure(
    runs: QuerySet[Row], change: Callable[..., bool], failure: Failure, *, now: datetime, retries: Retries
) -> State | None:
    """Store why a run gave no result, and queue it again where another try can help.

    Args:
        runs: the one run, as long as it is still this engine's.
        change: sets its state, and fields by their names, if it is; says whether it was.
        failure: why.
        now: the time.
        retries: how often it is tried.

    Returns:
        The state that it now has, or None if it is no longer this engine's.
    """
    attempts = runs.values_list("attempts", flat=True).first()
    if attempts is None:
        return None
    attempts += 1
    again = failure.failure_class.retry_helps and attempts < retries.attempts
    state = State.QUEUED if again else State.FAILED
    stored = change(
        runs,
        state,
        attempts=attempts,
        failure_class=failure.failure_class,
        reason=failure.reason,
        output=failure.output,
        finished=None if again else now,
        not_before=now + retries.wait(attempts),
        claim="",
        lease_until=None,
    )
    return state if stored else None
