"""The log."""

from django.db.models import (
    QuerySet,
)

from storage.models import (
    LogEntry,
)


def log() -> QuerySet[LogEntry]:
    """What components did and met, the latest first."""
    return LogEntry.objects.select_related("model", "benchmark__model", "benchmark__dataset_version__tag").defer(
        "model__manifest", "benchmark__model__manifest", "benchmark__output", "benchmark__dataset_version__description"
    )


def log_components() -> list[str]:
    """The names of all components that wrote into the log."""
    return list(LogEntry.objects.order_by("component").values_list("component", flat=True).distinct())
