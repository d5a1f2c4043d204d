"""What comparing a result with those on earlier versions found, and when it has to be compared again.

A check says something of a stream of results: those of one model on the versions of a tag, up to one of them. A result
that is stored or deleted makes the checks of all later versions due, which keep what they found until they are made
again. A result that is replaced takes its own check with it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from atlas.changes import MetricChange
from atlas.drift import ColumnDrift
from atlas.paired import Finding
from atlas.states import State
from storage.models import Benchmark, Drift, Model, RegressionCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was found.

    Attributes:
        benchmark: whose result was compared.
        results: when each result of the stream was stored, its own with them, by the key of its benchmark.
        changes: of each metric, the primary one first.
        predictions: how far the predictions have moved from those on the version before; None if nothing says so.
    """

    benchmark: int
    results: Mapping[int, datetime]
    changes: tuple[MetricChange, ...]
    predictions: ColumnDrift | None = None


@transaction.atomic
def record_check(check: Check, *, now: datetime) -> bool:
    """Keep what a check found, unless the stream is another one by now or the check was made by somebody else.

    The model is locked, as by whoever stores or deletes results: so none can change between looking and writing.

    Returns:
        Whether it was kept; if not, it is still due where there is still a result.
    """
    owner = Benchmark.objects.filter(pk=check.benchmark).values("model")
    list(Model.objects.filter(pk__in=owner).select_for_update(no_key=True).values_list("pk", flat=True))
    due = Benchmark.objects.filter(pk=check.benchmark, state=State.DONE, check_due=True)
    if _results_up_to(check.benchmark) != dict(check.results) or not due.update(check_due=False):
        return False
    _keep_changes(check, now)
    _keep_drift(check)
    return True


def _results_up_to(benchmark: int) -> dict[int, datetime]:
    """When each result was stored that the check of a benchmark is about."""
    fields = ("model", "dataset_version__tag", "dataset_version__number")
    for model, tag, number in Benchmark.objects.filter(pk=benchmark).values_list(*fields):
        of_tag = Benchmark.objects.filter(model=model, dataset_version__tag=tag, state=State.DONE)
        found = of_tag.filter(dataset_version__number__lte=number).values_list("pk", "finished")
        return {pk: stored for pk, stored in found if stored is not None}
    return {}


def _keep_changes(check: Check, now: datetime) -> None:
    found = {
        "changes": [change.model_dump(mode="json") for change in check.changes],
        "finding": check.changes[0].finding if check.changes else Finding.CANNOT_TELL,
        "made": now,
    }
    RegressionCheck.objects.update_or_create(benchmark_id=check.benchmark, defaults=found)


def _keep_drift(check: Check) -> None:
    if check.predictions is None:
        Drift.objects.filter(benchmark=check.benchmark).update(predictions=None)
        return
    moved = check.predictions.model_dump(mode="json")
    Drift.objects.update_or_create(benchmark_id=check.benchmark, defaults={"predictions": moved})


def check_later_ones(benchmarks: Collection[int]) -> None:
    """Have the results that come after some benchmarks compared anew: those of the same models on later versions."""
    changed = Benchmark.objects.filter(pk__in=benchmarks)
    earlier = changed.filter(
        model=OuterRef("model"),
        dataset_version__tag=OuterRef("dataset_version__tag"),
        dataset_version__number__lt=OuterRef("dataset_version__number"),
    )
    made = Benchmark.objects.filter(model__in=changed.values("model"), state=State.DONE, check_due=False)
    made.filter(Exists(earlier)).update(check_due=True)
