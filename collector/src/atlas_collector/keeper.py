"""A driver that is kept open while its sensor comes and goes."""

import logging
import time
from collections.abc import Callable, Mapping

from atlas_collector.drivers import Driver, SensorError

FIRST_PAUSE = 0.5  # seconds
LONGEST_PAUSE = 8.0
_LOSS_LOG_SECONDS = 60.0


class Keeper:
    """Opens a driver, and opens it again after growing pauses when its sensor has gone.

    The log has one line when the sensor does not answer, and one when it does again.
    """

    def __init__(
        self, name: str, driver: Driver, log: logging.Logger, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._driver, self._log, self._clock = name, driver, log, clock
        self._is_open = False
        self._answers: bool | None = None  # None: nobody knows yet
        self._pause = FIRST_PAUSE
        self._open_at = self._gone_at = clock()
        self._lost, self._loss_logged_at = 0, float("-inf")

    def read(self) -> Mapping[str, object] | None:
        """What the driver measured since the last time; None for nothing, or while the sensor does not answer."""
        if not self._is_open and self._clock() < self._open_at:
            return None
        try:
            self._open()
            fields = self._driver.read()
        except SensorError as error:
            self._note_gone(error)
            return None
        if fields is not None:
            self._note_answer()
        return fields

    def close(self) -> None:
        """Closes the driver."""
        self._is_open = False
        self._driver.close()

    def _open(self) -> None:
        if not self._is_open:
            self._driver.open()
            self._is_open = True

    def _note_gone(self, error: SensorError) -> None:
        self.close()
        now = self._clock()
        self._open_at, self._pause = now + self._pause, min(2 * self._pause, LONGEST_PAUSE)
        if self._answers is not False:
            self._answers, self._gone_at = False, now
            self._log.warning("%s: %s. Trying again until it answers.", self._name, error)

    def _note_answer(self) -> None:
        if self._answers is False:
            self._log.info("%s: it answers again, after %.0f s.", self._name, self._clock() - self._gone_at)
        elif self._answers is None:
            self._log.info("%s: it answers.", self._name)
        self._answers, self._pause = True, FIRST_PAUSE
        self._note_losses()

    def _note_losses(self) -> None:
        now, lost = self._clock(), self._driver.lost
        if lost > self._lost and now - self._loss_logged_at >= _LOSS_LOG_SECONDS:
            self._log.warning("%s: %d samples were lost, %d in all.", self._name, lost - self._lost, lost)
            self._lost, self._loss_logged_at = lost, now
