"""The real data sets that scikit-learn carries, as recordings that arrive in two halves.

Measurements and labels are the originals. The data sets say nothing of when, in which car or where a row was recorded:
cars and environments are left out, and times are counted up from a fixed day, for an order in which rows arrive.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

SEED = 20240101
FIRST_DAY = pd.Timestamp("2024-01-01", tz="UTC")
PACE = pd.Timedelta(minutes=10)
FIRST_HALF = 1
SECOND_HALF = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data set: the tag that names it, what a person would call it, and how scikit-learn gives it."""

    tag: str
    title: str
    load: Callable[[], Any]

    @property
    def query(self) -> str:
        """The events of all its recordings, those that have yet to arrive included."""
        return f'recording ~ "{self.tag}-part-"'

    def recording(self, half: int) -> str:
        """The name of the recording that brings one of the halves."""
        return f"{self.tag}-part-{half}"


def _diabetes() -> Any:
    return datasets.load_diabetes(as_frame=True, scaled=False)


SOURCES = (
    Source(tag="breast-cancer", title="breast cancer", load=lambda: datasets.load_breast_cancer(as_frame=True)),
    Source(tag="wine", title="wine", load=lambda: datasets.load_wine(as_frame=True)),
    Source(tag="digits", title="handwritten digits", load=lambda: datasets.load_digits(as_frame=True)),
    Source(tag="diabetes", title="diabetes", load=_diabetes),
)


def events(source: Source) -> pd.DataFrame:
    """All rows of a data set in the order of their arrival: `id`, `time`, `label`, and its features.

    `id` is the row's number in scikit-learn's copy, from 0. Labels are words where the data set has words for them.
    """
    original = source.load()
    rows: pd.DataFrame = original.data.rename(columns=lambda name: name.replace(" ", "_"))
    rows.insert(0, "label", _labels(original))
    rows.insert(0, "id", [f"{number:04d}" for number in range(len(rows))])
    shuffled = rows.iloc[np.random.default_rng(SEED).permutation(len(rows))].reset_index(drop=True)
    shuffled.insert(1, "time", FIRST_DAY + PACE * shuffled.index)
    return shuffled


def _labels(original: Any) -> pd.Series:
    names = dict(enumerate(getattr(original, "target_names", ())))
    target: pd.Series = original.target
    return target.map(names) if names and all(isinstance(name, str) for name in names.values()) else target


def half(source: Source, number: int) -> pd.DataFrame:
    """The rows that arrive first (1) or second (2)."""
    everything = events(source)
    middle = len(everything) // 2
    return everything.iloc[:middle] if number == FIRST_HALF else everything.iloc[middle:]


def write_recording(source: Source, number: int, folder: Path) -> Path:
    """One half as a CSV file that is named like its recording; the same bytes every time."""
    path = folder / f"{source.recording(number)}.csv"
    half(source, number).to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator="\n")
    return path
