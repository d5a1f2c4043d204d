"""The leaderboard: the best models of each use case on one dataset version, by one metric."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, cast

from django.db.models import Case, Count, F, Q, QuerySet, When, Window
from django.db.models.functions import RowNumber

from atlas.ranking import Score
from atlas.states import ModelState, State
from storage.models import Benchmark, DatasetVersion, Metric, Model
from storage.queries._boards import Board, Entry, Group, Measured, Subject, Trends, Versions
from storage.queries._cells import WITH_RESULT
from storage.queries._chosen import Chosen, LeaderboardFilter, chosen


def highlights(wanted: LeaderboardFilter, *, most: int = 3) -> list[Board]:
    """The best `most` models of each use case, by its name, with a fixed number of queries.

    The database ranks all, and only the best are read. So these boards list neither the models that cannot be ranked,
    only their number, nor ranks on the version before.
    """
    known = chosen(wanted)
    totals: dict[str, int] = {}
    measured: Measured = {}
    for use_case, total, (benchmark, value, low, high, greater_is_better) in _best(known, most + 1):
        totals[use_case] = total
        measured[benchmark] = Score(value, low, high), greater_is_better, ""
    versions = Versions(each.version for each in known)
    entries = _entries(Benchmark.objects.filter(pk__in=list(measured)))
    subjects = [Subject(each, entries, versions, measured) for each in known]
    parts = [subject.part(1, most) for subject in subjects]
    trends = _trends([model for part in parts for model in part.keys], subjects, versions)
    return [
        subject.summary(part, trends, models=totals.get(subject.use_case, 0))
        for subject, part in zip(subjects, parts, strict=True)
    ]


def leaderboard(wanted: LeaderboardFilter, *, page: int = 1, size: int = 25) -> Board | None:
    """The whole ranking of one use case, a part of it at a time, with a fixed number of queries.

    Args:
        wanted: what is ranked; it names a use case.
        page: which part of the ranking; beyond the last one, the last one.
        size: how many models a part has.

    Returns:
        None if there is nothing to rank.
    """
    known = next(iter(chosen(wanted)), None)
    if known is None:
        return None
    versions = Versions([known.version])
    before = versions.before(known.version)
    on = [known.version, before.pk] if before else [known.version]
    own = Benchmark.objects.filter(model__use_case=known.use_case, dataset_version__in=on)
    found = Metric.objects.filter(
        name=known.metric, benchmark__model__use_case=known.use_case, benchmark__dataset_version__in=on
    )
    measured = {
        benchmark: (Score(value, low, high), greater_is_better, reason)
        for benchmark, value, low, high, greater_is_better, reason in found.order_by().values_list(*_MEASURED, "reason")
    }
    subject = Subject(known, _entries(own), versions, measured, before)
    part = subject.part(page, size)
    return subject.board(part, _trends(part.keys, [subject], versions))


_MEASURED = ("benchmark", "value", "low", "high", "greater_is_better")


_Row = tuple[int, float, float | None, float | None, bool]
"""Benchmark, value, both ends of its interval, direction."""


def _best(known: list[Chosen], most: int) -> Iterator[tuple[str, int, _Row]]:
    """Use case, number of ranked models, and one of the best `most` of the use case, the best first.

    Nearly all models are ranked by their primary metric, which stands in the rows of their benchmarks: so metrics are
    read of the others alone.
    """
    totals: Counter[str] = Counter()
    rows: dict[str, list[_Row]] = defaultdict(list)
    for ranked in (_by_score(known, most), _by_metric(known, most)):
        counted: dict[str, int] = {}
        for use_case, total, *measured in ranked:
            counted[use_case] = total
            rows[use_case].append(cast(_Row, tuple(measured)))
        totals.update(counted)
    for use_case, some in rows.items():
        for row in sorted(some, key=_worst_last)[:most]:
            yield use_case, totals[use_case], row


def _worst_last(row: _Row) -> tuple[float, int]:
    benchmark, value, _, _, greater_is_better = row
    return (-value if greater_is_better else value), benchmark


def _by_score(known: list[Chosen], most: int) -> Iterator[tuple[Any, ...]]:
    """Use case, number of models, and a row of the best of those that are ranked by their primary metric.

    They are sought on all the versions and by all the metrics: one condition for each use case would keep the database
    from its quickest way.
    """
    found = Benchmark.objects.filter(
        dataset_version__in={each.version for each in known},
        state__in=WITH_RESULT,
        model__state=ModelState.READY,
        model__primary_metric__in={each.metric for each in known},
        score__gt=-math.inf,
        score__lt=math.inf,
    )
    group = ("model__use_case", "dataset_version", "model__primary_metric")
    return _ranked(found, group, ("pk", "score", "low", "high", "greater_is_better"), known, most)


def _by_metric(known: list[Chosen], most: int) -> Iterator[tuple[Any, ...]]:
    """The same of the models whose primary metric is another than that by which their use case is ranked."""
    others = Q(pk__in=())
    for each in known:
        others |= Q(use_case=each.use_case) & ~Q(primary_metric=each.metric)
    found = Metric.objects.filter(
        name__in={each.metric for each in known},
        benchmark__dataset_version__in={each.version for each in known},
        benchmark__state__in=WITH_RESULT,
        benchmark__model__in=list(Model.objects.filter(others, state=ModelState.READY).values_list("pk", flat=True)),
        value__gt=-math.inf,
        value__lt=math.inf,
    )
    group = ("benchmark__model__use_case", "benchmark__dataset_version", "name")
    return _ranked(found, group, ("benchmark", "value", "low", "high", "greater_is_better"), known, most)


def _ranked(
    found: QuerySet[Any],
    group: tuple[str, str, str],
    fields: tuple[str, str, str, str, str],
    known: list[Chosen],
    most: int,
) -> Iterator[tuple[Any, ...]]:
    """The best of each use case, version and metric: the database ranks all, and only the best are read."""
    key, value, *_, greater_is_better = fields
    worse = Case(When(**{greater_is_better: True}, then=-F(value)), default=F(value))
    ranked = found.order_by().annotate(
        rank=Window(RowNumber(), partition_by=[F(name) for name in group], order_by=[worse.asc(), F(key).asc()]),
        total=Window(Count("pk"), partition_by=[F(name) for name in group]),
    )
    wanted = {(each.use_case, each.version, each.metric) for each in known}
    for use_case, version, name, *values in ranked.filter(rank__lte=most).values_list(*group, "total", *fields):
        if (use_case, version, name) in wanted:
            yield use_case, *values


_FIELDS = {
    "pk": "pk",
    "model": "model",
    "version": "dataset_version",
    "state": "state",
    "reason": "reason",
    "name": "model__name",
    "author": "model__author__name",
    "use_case": "model__use_case",
    "replaced": "model__reason",
    "size_bytes": "model__size_bytes",
    "latency_p50_seconds": "latency_p50_seconds",
    "peak_memory_bytes": "peak_memory_bytes",
}
"""What a board needs of a benchmark and its model, and where that stands."""


def _entries(benchmarks: QuerySet[Benchmark]) -> dict[Group, dict[int, Entry]]:
    """The latest benchmark of each model, by its key, of each use case and version."""
    entries: dict[Group, dict[int, Entry]] = defaultdict(dict)
    for row in benchmarks.filter(model__state=ModelState.READY).order_by("pk").values_list(*_FIELDS.values()):
        entry = dict(zip(_FIELDS, row, strict=True))
        entries[entry["use_case"], entry["version"]][entry["model"]] = entry
    return entries


def _trends(models: list[int], subjects: list[Subject], versions: Versions) -> Trends:
    """Values over the latest versions of a tag, oldest first, by model, metric and the key of the tag."""
    on = {version.pk: version for subject in subjects for version in versions.up_to(subject.version.pk)}
    found = Metric.objects.filter(
        benchmark__model__in=models,
        benchmark__dataset_version__in=on,
        benchmark__state=State.DONE,
        name__in={subject.metric for subject in subjects},
        value__isnull=False,
    ).order_by("benchmark__dataset_version__number", "benchmark")
    trends: Trends = defaultdict(list)
    fields = ("benchmark__model", "name", "benchmark__dataset_version", "value")
    for model, name, version, value in found.values_list(*fields):
        if math.isfinite(value):
            trends[model, name, on[version].tag_id].append(value)
    return trends


def version_numbers(tag: str) -> list[int]:
    """The numbers of the versions of a dataset tag, the newest first."""
    found = DatasetVersion.objects.filter(tag__name=tag).order_by("-number")
    return list(found.values_list("number", flat=True))
