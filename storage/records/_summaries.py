"""What a model's row says of its benchmarks, so that lists need not read these.

Whatever ends a benchmark, queues or deletes it sums up its model in the same transaction. Whether one that has not
ended runs or waits is not in it: that changes too often.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, QuerySet

from atlas.states import State
from storage.models import Benchmark, Model

AT_ONCE = 200
"""So many models are written by one statement."""
Keys = Iterable[int] | QuerySet[Any, Any]


class _Standing(NamedTuple):
    """Of one benchmark, what counts in the summary; `impossible` is None where there is no explanation's row."""

    model: int
    pk: int
    state: str
    score: float | None
    low: float | None
    high: float | None
    reason: str
    queued: datetime
    impossible: str | None


_FIELDS = ("model", "pk", "state", "score", "low", "high", "reason", "queued", "explanation__impossible")


@contextmanager
def summed_up(benchmarks: Keys) -> Iterator[list[int]]:
    """A transaction in which some benchmarks are changed; the keys of their models.

    The models are locked first, as whoever deletes locks them, so that neither waits for the other for ever, and what
    others change meanwhile is summed up after us.

    Args:
        benchmarks: their keys, or a query for them.
    """
    owners = Benchmark.objects.filter(pk__in=benchmarks).order_by().values("model")
    with transaction.atomic():
        locked = Model.objects.filter(pk__in=owners).order_by("pk").select_for_update(no_key=True)
        models = list(locked.values_list("pk", flat=True))
        yield models
        summarize(models)


def summarize(models: Collection[int]) -> None:
    """Sum up anew the benchmarks of some models, which are locked."""
    found = Benchmark.objects.filter(model__in=models).order_by("model", "dataset_version__created", "pk")
    standings = (_Standing(*row) for row in found.values_list(*_FIELDS))
    known = {model: list(own) for model, own in groupby(standings, key=lambda each: each.model)}
    summaries = {model: _summary(known.get(model, [])) for model in models}
    if len(summaries) == 1:  # as after every result: `bulk_update` would take several times as long
        ((model, values),) = summaries.items()
        Model.objects.filter(pk=model).update(**values)
    elif summaries:
        rows = [Model(pk=model, **values) for model, values in summaries.items()]
        Model.objects.bulk_update(rows, list(_summary([])), batch_size=AT_ONCE)


def _summary(standings: list[_Standing]) -> dict[str, Any]:
    """The values of a model's fields, given its benchmarks from the oldest dataset version to the newest.

    `result` is the benchmark that is done on the newest dataset version, and `score` with its 95 % interval from `low`
    to `high` that benchmark's primary metric; `explained_on` is the newest with an explanation, `unexplained` is why
    `result` has none, and `trouble` why the latest benchmark that failed or cannot run did so.
    """
    done = [each for each in standings if each.state == State.DONE]
    result = done[-1] if done else None
    explained = [each.pk for each in done if each.impossible == ""]
    troubled = [each for each in standings if each.state in (State.FAILED, State.INCOMPATIBLE)]
    latest = max(troubled, key=lambda each: (each.queued, each.pk), default=None)
    numbers = Counter(each.state for each in standings)
    return {
        "unfinished": numbers[State.QUEUED] + numbers[State.RUNNING],
        "done": len(done),
        "failed": numbers[State.FAILED],
        "incompatible": numbers[State.INCOMPATIBLE],
        "cancelled": numbers[State.CANCELLED],
        "result": result.pk if result else None,
        "score": result.score if result else None,
        "low": result.low if result else None,
        "high": result.high if result else None,
        "explained_on": explained[-1] if explained else None,
        "unexplained": (result.impossible or "") if result else "",
        "trouble": latest.reason if latest else "",
    }


def one_more_waits(model: int) -> None:
    """Count a benchmark that is new and waits."""
    Model.objects.filter(pk=model).update(unfinished=F("unfinished") + 1)
