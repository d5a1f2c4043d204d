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
        happened: which service crashed from when until when, in monotonic seconds.
    """

    project: Project
    chance: random.Random
    happened: list[tuple[str, float, float]] = field(default_factory=list)

    def rampage(self, services: Sequence[str], times: int) -> None:
        """Let each service crash so many times; the next one crashes once the one before has been started again."""
        order = [service for service in services for _ in range(times)]
        self.chance.shuffle(order)
        began = time.monotonic()
        for service in order:
            time.sleep(self.chance.uniform(0, LONGEST_WAIT_SECONDS))
            crashed = time.monotonic()
            self.project.crash(service)
            self.happened.append((service, crashed, time.monotonic()))
        say(f"{len(order)} crashes of {len(services)} services: {time.monotonic() - began:.0f} s")

    def outage(self, seconds: float) -> None:
        """Stop both stores for so long."""
        self.project.compose("stop", *STORES, seconds=120)
        time.sleep(seconds)
        self.project.compose("start", *STORES, seconds=120)

    def explain(self, moment: float, service: str, *, seconds: float) -> bool:
        """Whether at a moment a service was down, or had been started at most so long before."""
        return any(each == service and down <= moment <= up + seconds for each, down, up in self.happened)
