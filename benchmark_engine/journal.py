"""What a process says of itself: lines on the log page, and signs of life."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from atlas.logs import about_benchmark
from atlas.states import ComponentState, Level
from storage import records

LEVELS = {Level.INFO: logging.INFO, Level.WARNING: logging.WARNING, Level.ERROR: logging.ERROR}

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Journal:
    """Where a process keeps what people are to know of it.

    Attributes:
        clock: gives the time.
        component: the process, by the name that its lines have on the log page.
    """

    clock: Callable[[], datetime] = utc_now
    component: str = "engine"

    def log(
        self,
        message: str,
        *,
        level: Level = Level.INFO,
        detail: str = "",
        model: int | None = None,
        benchmark: int | None = None,
    ) -> None:
        """Keep a line on the log page, and print it."""
        with about_benchmark(benchmark):
            logger.log(LEVELS[level], message)
        now = self.clock()
        records.log(self.component, message, now=now, level=level, detail=detail, model=model, benchmark=benchmark)

    def report(self, component: str, state: ComponentState, message: str) -> None:
        """Keep a component's sign of life."""
        records.report_status(component, state, message, now=self.clock())
