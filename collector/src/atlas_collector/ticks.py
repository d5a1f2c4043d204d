"""Ticks at wall-clock multiples of an interval: sensors in processes of their own measure at the same moments."""

import threading
import time
from collections.abc import Callable, Iterator

NANOSECONDS = 1_000_000_000
_LONGEST_WAIT = NANOSECONDS // 5  # so that a clock that was set is noticed soon


def ticks(interval: float, stop: threading.Event, clock: Callable[[], int] = time.time_ns) -> Iterator[int]:
    """Waits for each multiple of the interval and gives it, until told to stop.

    Whoever comes late gets the newest tick; those before it are left out. When the clock is set back by less than an
    interval, no tick comes twice; when it is set further, ticks go on from where it stands.

    Args:
        interval: seconds.
        clock: nanoseconds since 1970.

    Yields:
        Nanoseconds since 1970.
    """
    step = round(interval * NANOSECONDS)
    last = clock() // step
    while not stop.is_set():
        now = clock()
        number = now // step
        if number > last or number < last - 1:
            last = number
            yield number * step
        else:
            stop.wait(min((last + 1) * step - now, _LONGEST_WAIT) / NANOSECONDS)
