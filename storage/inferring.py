"""What the engine reads of predictions that are no benchmark: which wait, and what they take."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from atlas.datasets import DatasetDescription
from atlas.manifest import Manifest
from atlas.states import ModelState, State
from atlas.watching import InferenceKind
from storage.catalog import KnownVersion, ReadyModel
from storage.models import Benchmark, DatasetVersion, Inference, LiveWatch, Pause
from storage.records import InferenceClaim

INFERENCES = "inferences/"
SENT_ROWS = f"{INFERENCES}rows/"
"""Where the object store has rows that people sent; what is made of a claim lies in a folder beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceAssignment:
    """All that an engine needs to know to predict.

    Attributes:
        inference: its key.
        kind: why it predicts.
        model: what predicts.
        version: the dataset version whose events are predicted.
        events: their ids; all if empty.
        most: only so many of the first ones.
        recording: whose events are predicted, where it is no version's.
        rows_key: where the object store has rows that were sent, where it is neither's.
        rows_name: of the file that was sent.
        explains: whether rows are explained.
        known: the data that values are compared with.
        labelled: where the object store has predictions of the model whose truth is known; of live runs alone.
        earlier: where it has those of earlier live runs that lack labels.
    """

    inference: int
    kind: InferenceKind
    model: ReadyModel
    version: KnownVersion | None
    events: tuple[str, ...]
    most: int | None
    recording: str
    rows_key: str
    rows_name: str
    explains: bool
    known: DatasetDescription | None
    labelled: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()


def next_inference(now: datetime) -> int | None:
    """Predictions that may be made: those that a person waits for first. None while a person pauses the queue."""
    live = Case(When(kind=InferenceKind.LIVE, then=Value(1)), default=Value(0), output_field=IntegerField())
    waiting = Inference.objects.filter(state=State.QUEUED, not_before__lte=now).exclude(Exists(Pause.objects.all()))
    return waiting.order_by(live, "asked", "pk").values_list("pk", flat=True).first()


def inference_assignment(inference: int) -> InferenceAssignment:
    """What its engine needs to know."""
    row = Inference.objects.select_related("model", "dataset_version").get(pk=inference)
    model, version = ReadyModel.of(row.model), row.dataset_version
    is_live = row.kind == InferenceKind.LIVE and version is not None
    return InferenceAssignment(
        inference=row.pk,
        kind=InferenceKind(row.kind),
        model=model,
        version=KnownVersion.of(version) if version else None,
        events=tuple(row.events),
        most=row.most,
        recording=row.recording,
        rows_key=row.rows_key,
        rows_name=row.rows_name,
        explains=row.explains,
        known=trained_on(model.manifest),
        labelled=labelled_predictions(model.pk) if is_live else (),
        earlier=live_without_labels(model.pk, version.tag_id, before=version.number) if is_live and version else (),
    )


def trained_on(manifest: Manifest) -> DatasetDescription | None:
    """The version that a model's training record names, else the newest one of its tags; None if none is known."""
    named = manifest.training.query_id if manifest.training else ""
    found = DatasetVersion.objects.filter(query_id=named).first()
    found = found or DatasetVersion.objects.filter(tag__name__in=manifest.tags).order_by("created", "pk").last()
    return KnownVersion.of(found).description if found else None


def unplanned_live() -> list[tuple[int, int]]:
    """The keys of models that run on live data, each with those of the versions that it has not run on.

    These are the newest version of its tag, and all that came since it is watched.
    """
    found: list[tuple[int, int]] = []
    for watch in LiveWatch.objects.filter(model__state=ModelState.READY).order_by("pk"):
        versions = DatasetVersion.objects.filter(tag=watch.tag_id)
        newest = versions.order_by("-number").values("pk")[:1]
        run = Inference.objects.filter(model=watch.model_id, dataset_version=OuterRef("pk"), kind=InferenceKind.LIVE)
        wanted = versions.filter(Q(created__gte=watch.since) | Q(pk__in=newest)).exclude(Exists(run))
        found += [(watch.model_id, pk) for pk in wanted.order_by("number").values_list("pk", flat=True)]
    return found


MOST_LABELLED = 2
"""So many benchmarks tell what a model's probabilities are worth: the newest, and the one before."""
MOST_EARLIER = 20
"""Labels are looked for of so many earlier live runs."""


def labelled_predictions(model: int) -> tuple[str, ...]:
    """Where the object store has a model's predictions of events that are labelled, of the newest versions first."""
    done = Benchmark.objects.filter(model=model, state=State.DONE).exclude(predictions_key="")
    newest = done.order_by("-dataset_version__created", "-pk").values_list("predictions_key", flat=True)
    return tuple(newest[:MOST_LABELLED])


def live_without_labels(model: int, tag: int, *, before: int) -> tuple[str, ...]:
    """Where it has those of a model's earlier live runs on a tag whose rows are not all labelled, newest first.

    Args:
        model: its key.
        tag: its key.
        before: the number of a version; earlier ones are meant.
    """
    runs = Inference.objects.filter(model=model, kind=InferenceKind.LIVE, state=State.DONE)
    earlier = runs.filter(
        dataset_version__tag=tag,
        dataset_version__number__lt=before,
        rows__gt=Cast(KT("document__live__labelled"), IntegerField()),
    )
    newest = earlier.order_by("-dataset_version__number").values_list("predictions_key", flat=True)
    return tuple(newest[:MOST_EARLIER])


def lost_inferences(now: datetime) -> list[InferenceClaim]:
    """Predictions whose engine gave no sign of life in time."""
    lost = Inference.objects.filter(state=State.RUNNING, lease_until__lt=now).order_by("pk")
    return [InferenceClaim(inference=pk, token=token) for pk, token in lost.values_list("pk", "claim")]


def inference_keys_in_use(keys: Collection[str]) -> set[str]:
    """Those of some objects below `INFERENCES` that predictions refer to, or that belong to some which run now.

    Args:
        keys: of objects, listed before; that of rows that were sent may be older than what refers to it.
    """
    wanted = set(keys)
    owners = Inference.objects.filter(Q(state=State.RUNNING) | ~Q(predictions_key="") | ~Q(rows_key=""))
    fields = ("rows_key", "predictions_key", "values_key", "events_key", "claim")
    used: set[str] = set()
    running: set[str] = set()
    for *referred, claim in owners.values_list(*fields).iterator():
        used |= wanted.intersection(referred)
        running |= {claim} - {""}
    return used | {key for key in wanted if key.removeprefix(INFERENCES).partition("/")[0] in running}
