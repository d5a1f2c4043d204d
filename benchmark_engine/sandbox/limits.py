"""What one benchmark may use."""

import os
from math import ceil, inf

from pydantic import Field

from atlas.limits import ModelLimits
from atlas.vocabulary import Document

SPARE_SECONDS = 60
"""CPU time beyond what wall time allows: a last resort, should nobody be left to watch the clock."""


class Limits(Document):
    """What each child of a benchmark may use.

    Attributes:
        wall_seconds: from start to end.
        cpu_seconds: of all threads together; 0 for what the wall time allows.
        memory_bytes: of address space, and of memory in use, besides the libraries which are loaded beforehand.
        explanation_bytes: of memory that the explanation may take beyond what prediction has left in use.
        threads: at a time.
        scratch_bytes: on the disk in its scratch folder, deleted files that it still holds open included.
        scratch_files: and folders in its scratch folder.
        output_bytes: that it prints; the first and the last 64 KiB are kept.
        asked_for: the names of the limits that are what the bundle itself asks for.
    """

    wall_seconds: float = Field(default=600.0, gt=0)
    cpu_seconds: float = Field(default=0.0, ge=0)
    memory_bytes: int = Field(default=8 << 30, gt=0)
    explanation_bytes: int = Field(default=2 << 30, gt=0)
    threads: int = Field(default=64, gt=0)
    scratch_bytes: int = Field(default=1 << 30, gt=0)
    scratch_files: int = Field(default=2_000, gt=0)
    output_bytes: int = Field(default=64 << 20, gt=0)
    asked_for: frozenset[str] = frozenset()


class ExplanationBudget(Document):
    """What the explanation of one benchmark may take.

    Attributes:
        rows: that are explained at most; 0 for no explanation.
        seconds: from when the rows are chosen.
    """

    rows: int = Field(default=1_000, ge=0)
    seconds: float = Field(default=30.0, gt=0)


IN_MEBIBYTES = {"memory_mb": "memory_bytes", "scratch_mb": "scratch_bytes", "output_mb": "output_bytes"}
"""The limits that people give in MiB, and are bytes here."""


def limits_for(usual: Limits, wish: ModelLimits | None, grants: ModelLimits) -> Limits:
    """What a model may use: what is granted to it; else what its bundle asks for, but never more than is usual."""
    granted = _given(grants)
    less = {
        name: value
        for name, value in _given(wish or ModelLimits()).items()
        if name not in granted and value < (getattr(usual, name) or inf)
    }
    return usual.model_copy(update={**less, **granted, "asked_for": frozenset(less)})


def _given(limits: ModelLimits) -> dict[str, float]:
    """The fields that say something, with the names and units of `Limits`."""
    return {
        IN_MEBIBYTES.get(name, name): value << 20 if name in IN_MEBIBYTES else value
        for name, value in limits.model_dump(exclude_none=True).items()
    }


def cpu_bound_seconds(limits: Limits) -> int:
    """The CPU time at which the kernel ends a child: its own limit, or what the cores can give in its wall time."""
    by_wall_time = ceil(limits.wall_seconds) * min(limits.threads, os.cpu_count() or 1) + SPARE_SECONDS
    return min(ceil(limits.cpu_seconds) or by_wall_time, by_wall_time)
