"""Leaving tests out where CI, which may take 50 minutes, has hardly any of them left."""

import os
import time
from functools import cache
from pathlib import Path

import pytest

LAST_MINUTE = 47
"""When tests have to end; those that are left out take some time as well, as all of them are read."""
MINUTES = 3
"""So long takes a long test at most, unless its mark says otherwise."""
LEFT_OUT = "CI has no time left for it"


def leave_out_if_late(item: pytest.Item) -> None:
    """Skip a test that would end too late. `CI_BEGAN` is when CI began, in seconds since 1970, if this is CI.

    All tests of a file whose mark says how many minutes they take together, are left out or none of them. Those that
    are no long ones take no time.
    """
    mark = item.get_closest_marker("system")
    together = mark.kwargs.get("minutes") if mark else None
    if _is_late_for(item.path, together) if together else _is_late(MINUTES if mark else 0):
        pytest.skip(LEFT_OUT)


def tell(reporter: pytest.TerminalReporter) -> None:
    """Say loudly how many were left out."""
    skipped = reporter.stats.get("skipped", [])
    if left_out := sum(LEFT_OUT in str(report.longrepr) for report in skipped):
        reporter.write_sep("!", f"NOT RUN: {left_out} tests, as CI has no time left for them", red=True, bold=True)


def _is_late(minutes: float) -> bool:
    now = time.time()
    return (now - float(os.environ.get("CI_BEGAN", now))) / 60 + minutes > LAST_MINUTE


@cache
def _is_late_for(path: Path, minutes: float) -> bool:
    return _is_late(minutes)
