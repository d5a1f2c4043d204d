"""Times as people and programs write them, in nanoseconds since 1970."""

import re
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from bags.signals import NANOSECONDS

MISSING = np.iinfo(np.int64).min  # where a text is no time
_IN_FILENAME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[T_ -](\d\d)[-:_.]?(\d\d)[-:_.]?(\d\d)(?!\d)")
_DATED_SECONDS = 1e8  # since 1970: more is a date, less a time since the recording began
_MOST_SECONDS = 9e9  # what nanoseconds in 64 bits hold


def from_filename(filename: str) -> int | None:
    """The time (UTC) in a name such as `bump_2026-11-27T10-30-00.wav`; None without one."""
    if found := _IN_FILENAME.search(filename):
        try:
            return int(datetime(*map(int, found.groups()), tzinfo=UTC).timestamp()) * NANOSECONDS  # type: ignore[misc, arg-type]
        except ValueError:  # the digits are no date
            return None
    return None


def is_dated(times: npt.NDArray[np.int64]) -> bool:
    """Whether times are dates rather than seconds since some beginning."""
    return bool(len(times)) and int(times[0]) > _DATED_SECONDS * NANOSECONDS


def from_texts(texts: "pd.Series[str]") -> npt.NDArray[np.int64]:
    """Texts as ISO 8601 (UTC unless it says otherwise) or seconds, to the nanosecond; else MISSING."""
    parts = texts.str.extract(r"^\s*(\d{1,10})(?:\.(\d*))?\s*$")
    is_number = parts[0].notna()
    nanoseconds = np.full(len(texts), MISSING, np.int64)
    whole = parts.loc[is_number, 0].astype(np.int64)
    fraction = parts.loc[is_number, 1].fillna("").str.ljust(9, "0").str[:9].astype(np.int64)
    in_range = whole < _MOST_SECONDS
    nanoseconds[is_number] = np.where(in_range, whole * NANOSECONDS + fraction, MISSING)
    others = texts[~is_number]
    if len(others):
        nanoseconds[~is_number] = _others(others)
    return nanoseconds


def _others(texts: "pd.Series[str]") -> npt.NDArray[np.int64]:
    seconds = from_seconds(pd.to_numeric(texts, errors="coerce").to_numpy(np.float64))
    moments = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
    dates = moments.dt.as_unit("ns").to_numpy("datetime64[ns]").astype(np.int64)
    return np.where(seconds == MISSING, np.where(moments.isna(), MISSING, dates), seconds)


def from_seconds(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Seconds as nanoseconds; MISSING where they are no number or too many."""
    known = np.isfinite(seconds) & (np.abs(seconds) < _MOST_SECONDS)
    return np.where(known, np.rint(np.where(known, seconds, 0.0) * NANOSECONDS).astype(np.int64), MISSING)
