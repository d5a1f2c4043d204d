"""Deleting: rows go at once, the objects that belonged to them once an engine has carried out their `Removal`.

Locks are taken in the order models, benchmarks, results, as an engine takes them that stores a result: so neither can
wait for the other for ever. Who keeps a model's file looks for its removal afterwards (`refuse_removed`), so that of a
person who deletes a model and an engine that reads it, the person wins.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from atlas.access import Verb, Via
from atlas.errors import ModelRemovedError
from atlas.states import ModelState
from storage.models import (
    Benchmark,
    ConfusionMatrix,
    Explanation,
    Inference,
    LogEntry,
    Metric,
    Model,
    Removal,
    Residuals,
)
from storage.records._checks import check_later_ones
from storage.records._people import record_actions
from storage.records._summaries import summed_up

AT_ONCE = 500
"""So many keys stand in one statement."""
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What went: rows of models and benchmarks, and objects that an engine will delete."""

    models: int = 0
    benchmarks: int = 0
    objects: int = 0


@transaction.atomic
def delete_models(pks: Collection[int], by: str, via: Via, now: datetime) -> Deleted:
    """Delete model files with all that belongs to them: benchmarks, results, log lines, and duplicates of the file.

    Args:
        pks: of the models; those that are gone already are left out.
        by: who wants it, for the audit log.
        via: by what way.
        now: the time.
    """
    found = [model for some in in_parts(with_duplicates(pks)) for model in _locked(Model.objects.filter(pk__in=some))]
    own = [model.pk for model in found]
    benchmarks = [pk for some in in_parts(own) for pk in _locked_keys(Benchmark.objects.filter(model__in=some))]
    objects = _delete_benchmarks(benchmarks, by, now)
    objects += ask_for_removal({model.key: model.etag for model in found}, by, now)
    objects += sum(_remove_inferences(some, by, now) for some in in_parts(own))
    for some in in_parts(own):
        LogEntry.objects.filter(model__in=some).delete()
        Model.objects.filter(pk__in=some).only("pk").delete()
    record_actions(by, Verb.DELETED, "model", [model.name for model in found], via=via, now=now)
    return Deleted(models=len(found), benchmarks=len(benchmarks), objects=objects)


@transaction.atomic
def delete_benchmarks(pks: Collection[int], by: str, via: Via, now: datetime) -> Deleted:
    """Delete benchmarks with their results and log lines. An engine queues them anew while there are the model and the
    dataset version.

    Args:
        pks: of the benchmarks; those that are gone already are left out.
        by: who wants it, for the audit log.
        via: by what way.
        now: the time.
    """
    with summed_up(pks):
        benchmarks = [pk for some in in_parts(pks) for pk in _locked_keys(Benchmark.objects.filter(pk__in=some))]
        names = [str(each) for some in in_parts(benchmarks) for each in _named(Benchmark.objects.filter(pk__in=some))]
        for some in in_parts(benchmarks):
            check_later_ones(some)
        objects = _delete_benchmarks(benchmarks, by, now)
    record_actions(by, Verb.DELETED, "benchmark", names, via=via, now=now)
    return Deleted(benchmarks=len(benchmarks), objects=objects)


@transaction.atomic
def carry_out(key: str, remove: Callable[[], None]) -> bool:
    """Carry out the removal of an object, if no other engine does so at this moment.

    Args:
        key: of the object.
        remove: deletes it from the store. If it raises, the removal stays for another time.

    Returns:
        Whether it was this engine that carried it out.
    """
    asked = Removal.objects.select_for_update(skip_locked=True).filter(key=key).first()
    if asked is None:
        return False
    remove()
    asked.delete()
    return True


def refuse_removed(key: str) -> None:
    """Make sure that a file is kept which nobody wants gone: call it once its row is written and locked.

    Raises:
        ModelRemovedError: somebody does.
    """
    if Removal.objects.filter(key=key).exists():
        raise ModelRemovedError(f"{key} was deleted meanwhile.")


def with_duplicates(pks: Iterable[int]) -> list[int]:
    """The keys of models and of the files that are duplicates of them, in order."""
    chosen = set(pks)
    for some in in_parts(sorted(chosen)):
        digests = Model.objects.filter(pk__in=some, state=ModelState.READY).values("digest")
        chosen.update(Model.objects.filter(state=ModelState.DUPLICATE, digest__in=digests).values_list("pk", flat=True))
    return sorted(chosen)


def _locked(models: QuerySet[Model]) -> list[Model]:
    return list(models.select_for_update().only("key", "etag", "name").order_by("pk"))


def _locked_keys(benchmarks: QuerySet[Benchmark]) -> list[int]:
    return list(benchmarks.select_for_update().order_by("pk").values_list("pk", flat=True))


def _named(benchmarks: QuerySet[Benchmark]) -> QuerySet[Benchmark]:
    related = benchmarks.select_related("model", "dataset_version__tag").order_by("pk")
    return related.only("model__name", "dataset_version__number", "dataset_version__tag__name")


def _delete_benchmarks(pks: list[int], by: str, now: datetime) -> int:
    """Delete benchmarks that are locked; how many objects belonged to them."""
    objects = 0
    for some in in_parts(pks):
        objects += ask_for_removal(dict.fromkeys(_objects_of(some), ""), by, now)
        for table in (Metric, ConfusionMatrix, Residuals, Explanation, LogEntry):
            table.objects.filter(benchmark__in=some).delete()
        Benchmark.objects.filter(pk__in=some).only("pk").delete()
    return objects


def _objects_of(benchmarks: Collection[int]) -> set[str]:
    predictions = Benchmark.objects.filter(pk__in=benchmarks).values_list("predictions_key", flat=True)
    documents = Explanation.objects.filter(benchmark__in=benchmarks)
    explained = documents.values_list("document__values_key", "document__events_key")
    return {*predictions, *(key for pair in explained for key in pair if key)} - {""}


def _remove_inferences(models: Collection[int], by: str, now: datetime) -> int:
    """Have the objects of some models' predictions deleted, whose rows go with the models; how many objects."""
    keys = Inference.objects.filter(model__in=models).values_list(
        "predictions_key", "values_key", "events_key", "rows_key"
    )
    objects = {key for row in keys for key in row if key}
    return ask_for_removal(dict.fromkeys(objects, ""), by, now)


def ask_for_removal(etags: dict[str, str], by: str, now: datetime) -> int:
    """Ask engines to delete objects; each etag says which content of the key is meant, and may be empty."""
    rows = (Removal(key=key, etag=etag, by=by[:200], asked=now) for key, etag in sorted(etags.items()))
    Removal.objects.bulk_create(
        rows,
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["etag", "by", "asked"],
    )
    return len(etags)


def in_parts(keys: Iterable[Key]) -> Iterator[tuple[Key, ...]]:
    """Keys, as many at a time as stand in one statement."""
    remaining = iter(keys)
    while some := tuple(islice(remaining, AT_ONCE)):
        yield some
