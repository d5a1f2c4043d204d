"""What is found when a part of an installation is looked at, and looking at all of them at once."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from queue import Empty, Queue

from django.db import connections

from atlas.errors import AtlasError

MOST_SECONDS = 60.0
"""A check that takes longer has failed."""


class Verdict(StrEnum):
    """How a part of an installation is."""

    WELL = "well"
    DOUBTFUL = "doubtful"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found.

    Attributes:
        part: of the installation, such as "database".
        verdict: how it is.
        said: what was seen.
        remedy: what to do; empty if there is nothing to do.
    """

    part: str
    verdict: Verdict
    said: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A look at one part: `look` yields what it finds, and may raise what it does not expect.

    `remedy` is what to do where it raises, or does not end.
    """

    part: str
    look: Callable[[], Iterable[Finding]]
    remedy: str


def well(part: str, said: str) -> Finding:
    """It is as it should be."""
    return Finding(part=part, verdict=Verdict.WELL, said=said)


def doubtful(part: str, said: str, remedy: str) -> Finding:
    """It works, but somebody should look at it."""
    return Finding(part=part, verdict=Verdict.DOUBTFUL, said=said, remedy=remedy)


def broken(part: str, said: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(part=part, verdict=Verdict.BROKEN, said=said, remedy=remedy)


def found(checks: Iterable[Check], *, seconds: float = MOST_SECONDS) -> Iterator[Finding]:
    """What all checks find, in their order. They look at the same time; none is waited for longer than `seconds`."""
    begun = [(check, _begin(check)) for check in checks]
    deadline = time.monotonic() + seconds
    for check, findings in begun:
        yield from _until(deadline, check, findings, seconds)


Found = Queue["Finding | None"]


def _begin(check: Check) -> Found:
    """Look in a thread of its own, which ends with the process even if it hangs; None is the end of what it finds."""
    findings: Found = Queue()

    def look() -> None:
        try:
            for each in check.look():
                findings.put(each)
        except AtlasError as error:
            findings.put(broken(check.part, str(error), check.remedy))
        except Exception as error:  # noqa: BLE001  # a process boundary: it is told as what was found
            findings.put(broken(check.part, _one_line(error), check.remedy))
        finally:
            connections.close_all()
            findings.put(None)

    threading.Thread(target=look, name=f"doctor: {check.part}", daemon=True).start()
    return findings


def _until(deadline: float, check: Check, findings: Found, seconds: float) -> Iterator[Finding]:
    try:
        while finding := findings.get(timeout=max(deadline - time.monotonic(), 0.001)):
            yield finding
    except Empty:
        yield broken(check.part, f"There was no answer within {seconds:g} seconds.", check.remedy)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
