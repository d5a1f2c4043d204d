"""Drift that pages and the API are tested on: documents of a few columns, kept as the engine keeps them."""

from typing import Any

from atlas.drift import ColumnDrift, Distribution, TableDrift
from storage import records
from storage.models import DatasetVersion, Drift
from storage.records import MeasuredDrift
from tests import stage
from tests.samples import NOON

TEN = Distribution(bins=("low", "high", "missing"), before=(60, 40, 0), now=(10, 85, 5))


def column(name: str, distance: float = 0.02, **changes: Any) -> ColumnDrift:
    """A column that has moved so far, and not by chance if that is at least 0.1."""
    has_moved = distance >= 0.1
    fields: dict[str, Any] = {
        "name": name,
        "kullback_leibler": 2 * distance**2,
        "jensen_shannon": distance,
        "hellinger": 0.8 * distance,
        "population_stability": 4 * distance**2,
        "pairwise_distance": distance**2,
        "kolmogorov_smirnov": distance,
        "wasserstein": 2 * distance,
        "missing": 0.05,
        "p_value": 0.00001 if has_moved else 0.4,
        "adjusted_p": 0.0001 if has_moved else 1.0,
        "has_moved": has_moved,
        "distribution": TEN,
    }
    return ColumnDrift.model_validate(fields | changes)


def drift(*columns: ColumnDrift, **changes: Any) -> TableDrift:
    """The drift of a table from version 1, whose labels stay as they were, with some fields changed."""
    fields: dict[str, Any] = {
        "compared_with": "previous",
        "version": 1,
        "rows_before": 100,
        "rows_now": 100,
        "columns": columns,
        "labels": column("label"),
    }
    return TableDrift.model_validate(fields | changes)


def keep(version: int, since: TableDrift | None = None, first: TableDrift | None = None, **changes: Any) -> None:
    """The drift of the version with this key, from the one before and from the first one."""
    measured = MeasuredDrift(from_previous=since, from_first=first or since, **changes)
    records.record_version_drift(version, measured, now=NOON)


def changing_dataset(tag: str = "impacts", versions: int = 3) -> None:
    """Versions of which the second has another gas sensor, and the third twice as many damages as the second."""
    first, *later = (stage.add_version(number, tag=tag) for number in range(1, versions + 1))
    keep(first)
    for key, (sensor, labels) in zip(later, ((0.31, 0.02), (0.03, 0.25)), strict=False):
        found = column("gas.temperature", sensor), column("peak", 0.04)
        before = DatasetVersion.objects.get(pk=key).number - 1
        keep(
            key,
            drift(*found, version=before, labels=column("label", labels)),
            drift(column("gas.temperature", 0.33), column("peak", 0.06), compared_with="first"),
        )


def keep_for(benchmark: int, found: TableDrift | None = None, *, unknown: str = "", **changes: Any) -> None:
    """How far the data of a benchmark lie from what its model was trained on, or why that is not known."""
    fields = {
        "document": found.model_dump(mode="json") if found else None,
        "unknown": unknown,
        "share_moved": found.share_moved if found else None,
        "farthest": found.farthest if found else None,
    }
    Drift.objects.update_or_create(benchmark_id=benchmark, defaults=fields | changes)


def from_reference(*columns: ColumnDrift, **changes: Any) -> TableDrift:
    """The drift from what a model was trained on."""
    return drift(*columns, compared_with="reference", version=None, **changes)
