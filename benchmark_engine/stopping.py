"""Being told to stop: SIGTERM and Ctrl-C, as an event that a process waits for."""

import signal
import threading
from queue import SimpleQueue


def stopped_by_signals() -> threading.Event:
    """An event that is set once SIGTERM or Ctrl-C comes; to be called in the main thread.

    A handler must not set it: it may interrupt the event's own `wait`, which then holds the lock that setting takes,
    and the process would never end. A `SimpleQueue` may be written to wherever a signal comes.
    """
    stopped = threading.Event()
    told: SimpleQueue[int] = SimpleQueue()

    def pass_on() -> None:
        told.get()
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.put(number))
    threading.Thread(target=pass_on, name="signals", daemon=True).start()
    return stopped
