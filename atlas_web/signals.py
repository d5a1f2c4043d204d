"""The columns of one event: raw signals as charts, all else as terms and values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from atlas_web import words
from ui import charts, formats

MOST_POINTS = 2000
"""A chart of more points than pixels looks the same, and only makes the page larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """An event's columns: those with a signal, and the others as text."""

    signals: list[charts.Signal]
    values: list[tuple[str, str]]


def told_apart(row: Mapping[str, Any]) -> Columns:
    """The columns with a list of numbers, and all others."""
    signals = {name: numbers for name, value in row.items() if (numbers := _numbers(value)) is not None}
    return Columns(
        signals=[signal(name, numbers) for name, numbers in signals.items()],
        values=[(name, _text(value)) for name, value in row.items() if name not in signals],
    )


def signal(name: str, values: np.ndarray, most: int = MOST_POINTS) -> charts.Signal:
    """The samples of a signal; of a long one the lowest and the highest of each stretch, so that no peak is lost."""
    if len(values) <= most:
        return charts.Signal(name, list(range(len(values))), values.tolist(), len(values))
    stretches = np.array_split(np.arange(len(values)), most // 2)
    filled = np.nan_to_num(values)
    ends = [(at[filled[at].argmin()], at[filled[at].argmax()]) for at in stretches]
    places = np.unique(np.array(ends).ravel())
    return charts.Signal(name, places.tolist(), values[places].tolist(), len(values))


def _numbers(value: object) -> np.ndarray | None:
    """The samples of a signal; None if it is none."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not value:
        return None
    if not all(item is None or isinstance(item, int | float) for item in value):
        return None
    return np.array([np.nan if item is None else item for item in value], dtype=float)


def _text(value: object) -> str:
    if value is None:
        return formats.NOTHING
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, float):
        return formats.figure(value)
    return f"{len(value):,} bytes" if isinstance(value, bytes) else words.clipped(str(value))
