"""Crashes of a project's containers in a random order, and outages of its stores."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.compose.engine import say
from tests.compose.project import Project

STORES = ("postgres", "minio")
LONGEST_WAIT_SECONDS = 1.0


@dataclass
class Crashes:
    """Lets containers of a project crash.

    Attributes:
        project: whose containers.
        chance: decides which is next, and how long to wait before.
        happened: when, in monotonic seconds, which service crashed.
    """

    project: Project
    chance: random.Random
    happened: list[tuple[float, str]] = field(default_factory=list)

    def rampage(self, services: Sequence[str], times: int) -> None:
        """Let each service crash so many times; the next one crashes once the one before has been started again."""
        order = [service for service in services for _ in range(times)]
        self.chance.shuffle(order)
        began = time.monotonic()
        for service in order:
            time.sleep(self.chance.uniform(0, LONGEST_WAIT_SECONDS))
            self.happened.append((time.monotonic(), service))
            self.project.crash(service)
        say(f"{len(order)} crashes of {len(services)} services: {time.monotonic() - began:.0f} s")

    def outage(self, seconds: float) -> None:
        """Stop both stores for so long."""
        self.project.compose("stop", *STORES, seconds=120)
        time.sleep(seconds)
        self.project.compose("start", *STORES, seconds=120)

    def near(self, moment: float, service: str, *, seconds: float) -> bool:
        """Whether a service had crashed at most so long before a moment."""
        return any(each == service and 0 <= moment - when <= seconds for when, each in self.happened)
