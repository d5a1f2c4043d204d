"""Somebody who looks at the dashboard all the time, and remembers what they saw that explains nothing."""

import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from tests.compose.project import Project
from tests.compose.visitor import Visitor

PAGES = ("/", "/models/", "/benchmarks/", "/datasets/", "/leaderboard/", "/logs/", "/administration/")
EXPLAINED = re.compile(r"<h1[^>]*>\s*[^<\s][^<]*</h1>.*?<p[^>]*>\s*[^<\s]", re.DOTALL)
"""A heading and a sentence."""
LOOK_SECONDS = 0.2


@dataclass
class Onlooker:
    """Opens one page after the other in a thread of its own, signed in, until the block ends.

    Attributes:
        statuses: how often each status was seen.
        puzzles: answers that were neither what was asked for nor an explanation.
        unanswered: moments, in monotonic seconds, at which nobody answered at all.
    """

    project: Project
    statuses: Counter[int] = field(default_factory=Counter)
    puzzles: list[str] = field(default_factory=list)
    unanswered: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._enough = threading.Event()
        self._visitor = Visitor(self.project)
        self._thread = threading.Thread(target=self._look, name="onlooker")

    def __enter__(self) -> "Onlooker":
        self._visitor.sign_in()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        self._visitor.__exit__()

    def _look(self) -> None:
        while not self._enough.is_set():
            for page in PAGES:
                self._open(page)
                if self._enough.wait(LOOK_SECONDS):
                    return

    def _open(self, page: str) -> None:
        try:
            answer = self._visitor.get(page)
        except httpx.TransportError:
            self.unanswered.append(time.monotonic())
            return
        self.statuses[answer.status_code] += 1
        if not _says_something(answer):
            self.puzzles.append(f"{page}: {answer.status_code} {answer.text[:2_000]}")


def _says_something(answer: httpx.Response) -> bool:
    """Whether an answer is the page that was asked for, or tells people why it is not."""
    if answer.status_code in {httpx.codes.OK, httpx.codes.FOUND}:
        return True
    unavailable = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    return unavailable and bool(EXPLAINED.search(answer.text)) and "Traceback" not in answer.text
