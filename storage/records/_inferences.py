"""The states of predictions that are no benchmark, which change here and nowhere else.

    (new) -> queued;  queued -> running -> done | failed | queued (another try, or the engine stopped)
    queued | running -> cancelled

A change compares the old state (and the claim, once there is one) in the statement that sets the new one, so that of
two engines that try, one wins.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, QuerySet

from atlas.access import Verb, Via
from atlas.inference import Inferred
from atlas.results import Failure
from atlas.states import FailureClass, State
from atlas.watching import InferenceKind
from storage.models import Inference, Model, Pause
from storage.records._failing import store_failure
from storage.records._people import record_action
from storage.retries import RETRIES, Retries

UNFINISHED = (State.QUEUED, State.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be predicted: events of a dataset version, the events of a recording, or rows that were sent.

    Attributes:
        version: the key of a dataset version.
        events: ids of its events; all of them if empty.
        most: only so many of the first ones, by their ids.
        recording: the name of a recording that the ingestion engine has.
        rows_key: where the object store has the rows that were sent.
        rows_name: the name of the file that was sent.
    """

    version: int | None = None
    events: Sequence[str] = ()
    most: int | None = None
    recording: str = ""
    rows_key: str = ""
    rows_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceClaim:
    """Predictions that this engine may make until its lease ends."""

    inference: int
    token: str


@transaction.atomic
def ask_inference(model: int, wanted: Wanted, *, by: str, via: Via, explains: bool = True, now: datetime) -> int:
    """Queue predictions that a person asks for.

    Args:
        model: the key of a ready model.
        wanted: what it predicts.
        by: who asks.
        via: by what way, for the audit log.
        explains: whether the first rows are explained too.
        now: the time.

    Returns:
        Their key.
    """
    asked = Inference.objects.create(
        model_id=model,
        kind=InferenceKind.ON_DEMAND,
        dataset_version_id=wanted.version,
        events=list(wanted.events),
        most=wanted.most,
        recording=wanted.recording,
        rows_key=wanted.rows_key,
        rows_name=wanted.rows_name,
        explains=explains,
        by=by[:200],
        asked=now,
        not_before=now,
    )
    name = Model.objects.values_list("name", flat=True).get(pk=model)
    record_action(by, Verb.PREDICTED, "model", name, via=via, detail=f"Prediction {asked.pk}", now=now)
    return asked.pk


def ask_live(model: int, version: int, *, now: datetime) -> int | None:
    """Queue what a model makes of a version of live data; its key, or None if that was asked for before."""
    asked, new = Inference.objects.get_or_create(
        model_id=model,
        dataset_version_id=version,
        kind=InferenceKind.LIVE,
        defaults={"asked": now, "not_before": now, "explains": False},
    )
    return asked.pk if new else None


def claim_inference(inference: int, *, engine: str, lease: timedelta, now: datetime) -> InferenceClaim | None:
    """Take predictions that wait, unless another engine was faster or a person paused the queue."""
    token = uuid.uuid4().hex
    waiting = Inference.objects.filter(pk=inference, state=State.QUEUED, not_before__lte=now)
    taken = _change(
        waiting.exclude(Exists(Pause.objects.all())),
        State.RUNNING,
        claim=token,
        engine=engine,
        lease_until=now + lease,
        started=now,
        finished=None,
        reason="",
        failure_class="",
    )
    return InferenceClaim(inference=inference, token=token) if taken else None


def renew_inference(held: InferenceClaim, *, lease: timedelta, now: datetime) -> bool:
    """Lengthen a lease; whether the predictions are still this engine's, and nobody has cancelled them."""
    return _held(held).update(lease_until=now + lease) == 1


def finish_inference(
    held: InferenceClaim,
    inferred: Inferred,
    *,
    predictions_key: str,
    values_key: str = "",
    events_key: str = "",
    output: str = "",
    now: datetime,
) -> bool:
    """Store what predicting gave; whether it was still this engine's, else nothing is stored.

    Args:
        held: the claim.
        inferred: what is said of the predictions.
        predictions_key: where the object store has them.
        values_key: where it has the explanation of single rows, if there is one.
        events_key: where it has the rows that were explained.
        output: what the model printed.
        now: the time.
    """
    return _change(
        _held(held),
        State.DONE,
        finished=now,
        claim="",
        lease_until=None,
        rows=inferred.rows,
        document=inferred.model_dump(mode="json"),
        predictions_key=predictions_key,
        values_key=values_key,
        events_key=events_key,
        output=output,
    )


def fail_inference(
    held: InferenceClaim, failure: Failure, *, now: datetime, retries: Retries = RETRIES
) -> State | None:
    """Store why there are no predictions, and queue them again where another try can help.

    Returns:
        The state that they now have, or None if they are no longer this engine's.
    """
    return store_failure(_held(held), _change, failure, now=now, retries=retries)


def fail_lost_inference(held: InferenceClaim, *, now: datetime, retries: Retries = RETRIES) -> State | None:
    """Take predictions from an engine whose lease ran out, unless it was renewed since."""
    late = _held(held).filter(lease_until__lt=now)
    failure = Failure(failure_class=FailureClass.LOST_WORKER, reason="The engine that ran it stopped answering.")
    return store_failure(late, _change, failure, now=now, retries=retries)


def release_inference(held: InferenceClaim, *, now: datetime) -> bool:
    """Give predictions back to the queue, as an engine does that is stopped."""
    return _change(_held(held), State.QUEUED, claim="", lease_until=None, started=None, not_before=now)


@transaction.atomic
def cancel_inference(inference: int, *, by: str, via: Via, now: datetime) -> bool:
    """Take predictions out of the queue, or from the engine that makes them, which then ends it; whether they were
    there."""
    cancelled = _change(
        Inference.objects.filter(pk=inference, state__in=UNFINISHED),
        State.CANCELLED,
        reason=f"Cancelled by {by}.",
        failure_class="",
        claim="",
        lease_until=None,
        finished=now,
    )
    if cancelled:
        record_action(by, Verb.CANCELLED, "prediction", str(inference), via=via, now=now)
    return cancelled


def _held(held: InferenceClaim) -> QuerySet[Inference]:
    return Inference.objects.filter(pk=held.inference, state=State.RUNNING, claim=held.token)


def _change(inferences: QuerySet[Inference], state: State, **fields: object) -> bool:
    """Set a new state where the old one still holds; whether it did."""
    return inferences.update(state=state, **fields) == 1
