"""Work that goes on between ticks."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Background:
    """Takes a step over and over on a thread of its own, until it is told to stop or the step fails.

    A step returns within a fraction of a second.
    """

    def __init__(self, step: Callable[[], None]) -> None:
        self._step = step
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._work: Future[None] = self._thread.submit(self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._step()

    def check(self) -> None:
        """Raises what the step raised, if it failed."""
        if self._work.done():
            self._work.result()

    def stop(self) -> None:
        """Waits for the step under way; no other follows."""
        self._stop.set()
        self._thread.shutdown()
