"""Which models run on live data, and what is known of what they predicted there once labels have come."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from atlas.access import Verb, Via
from atlas.inference import Inferred, Labels, Live
from atlas.states import ModelState
from atlas.watching import InferenceKind
from storage.models import DatasetTag, Inference, LiveWatch, Model
from storage.records._people import record_action

WATCH = "live watch"
"""What the audit log calls it that a model runs on live data."""


@transaction.atomic
def watch_live(model: int, tag: str, *, by: str, via: Via = Via.PAGE, now: datetime) -> bool:
    """Have a model run on the newest version of a tag and on each that comes; whether it did not do so before.

    A tag that Atlas does not know yet is asked of the ingestion engine from now on.
    """
    name = Model.objects.filter(state=ModelState.READY).values_list("name", flat=True).get(pk=model)
    known, _ = DatasetTag.objects.get_or_create(name=tag)
    _, new = LiveWatch.objects.get_or_create(model_id=model, tag=known, defaults={"by": by[:200], "since": now})
    if new:
        record_action(by, Verb.ADDED, WATCH, f"{name} on {tag}", via=via, now=now)
    return new


@transaction.atomic
def unwatch_live(model: int, tag: str, *, by: str, via: Via = Via.PAGE, now: datetime) -> bool:
    """Run a model no longer on what comes; what it predicted stays. Whether it did so."""
    found = LiveWatch.objects.select_related("model").filter(model=model, tag__name=tag).first()
    if found is None:
        return False
    name = f"{found.model.name} on {tag}"
    found.delete()
    record_action(by, Verb.DELETED, WATCH, name, via=via, now=now)
    return True


@transaction.atomic
def keep_labels(measured: Mapping[str, Labels]) -> None:
    """Keep what is measured of live runs now that their rows are labelled, in the place of what was estimated.

    Args:
        measured: by the key of the run's predictions; what has fewer labels than are known already is left
            alone.
    """
    runs = Inference.objects.select_for_update().filter(kind=InferenceKind.LIVE, predictions_key__in=measured)
    for run in runs.order_by("pk"):
        document = Inferred.model_validate(run.document)
        if document.live and measured[run.predictions_key].labelled > document.live.labelled:
            run.document = _with_labels(document, document.live, measured[run.predictions_key])
            run.save(update_fields=["document"])


def _with_labels(document: Inferred, live: Live, measured: Labels) -> dict[str, object]:
    told: dict[str, object] = {"labelled": measured.labelled}
    if measured.metrics:
        told |= {"metrics": measured.metrics, "estimated": (), "not_estimated": ""}
    known = document.model_copy(update={"live": live.model_copy(update=told)})
    return known.model_dump(mode="json")
