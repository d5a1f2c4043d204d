"""Notices when benchmarks wait though this engine could run them."""

import time

STUCK_SECONDS = 60.0
"""An engine that looked at its queue so long ago is stuck."""
IDLE_SECONDS = 60.0
"""What has waited so long while this engine ran nothing should have been started."""


class Watchdog:
    """Remembers when the engine last looked at its queue, and when it last ran something."""

    def __init__(self) -> None:
        self._looked = self._busy = time.monotonic()

    def looked(self, *, busy: bool) -> None:
        """The engine looked at its queue; `busy` says whether it runs something now."""
        self._looked = time.monotonic()
        if busy:
            self._busy = self._looked

    def trouble(self, *, overdue: bool) -> str:
        """What is wrong, as a sentence; empty if nothing is.

        Args:
            overdue: whether a benchmark has waited for longer than `IDLE_SECONDS`.
        """
        now = time.monotonic()
        if now - self._looked > STUCK_SECONDS:
            return f"The queue has not been looked at for {now - self._looked:.0f} s."
        if overdue and now - self._busy > IDLE_SECONDS:
            return f"Benchmarks wait, and nothing has been run for {now - self._busy:.0f} s."
        return ""
