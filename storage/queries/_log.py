"""The log. It may have millions of lines: pages of it are found by key, and no query counts or sorts them all."""

from django.db.models import Q, QuerySet

from storage.models import Benchmark, LogEntry
from storage.queries._distinct import each_once


def log() -> QuerySet[LogEntry]:
    """What components did and met, the latest first. Lines are in the order in which they were written."""
    about = ("model", "benchmark__model", "benchmark__dataset_version__tag")
    names = ("model__name", "benchmark__model__name", "benchmark__dataset_version__number")
    own = ("time", "level", "component", "message", "detail")
    shown = (*own, *names, "benchmark__dataset_version__tag__name")
    return LogEntry.objects.select_related(*about).only(*shown).order_by("-pk")


def lines_about_model(lines: QuerySet[LogEntry], model: int) -> QuerySet[LogEntry]:
    """Those of some lines that are about a model or one of its benchmarks.

    The benchmarks are named one by one, so that the database takes both kinds of lines from an index.
    """
    benchmarks = list(Benchmark.objects.filter(model=model).values_list("pk", flat=True))
    return lines.filter(Q(model=model) | Q(benchmark__in=benchmarks))


def newest_log_line() -> int:
    """The key of the line that was written last; 0 if there is none."""
    return LogEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def log_components() -> list[str]:
    """The names of all components that wrote into the log."""
    return each_once(LogEntry, "component")
