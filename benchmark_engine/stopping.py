"""Being told to stop: SIGTERM and Ctrl-C, as an event that a process waits for."""

import os
import signal
import threading

STOPS = (signal.SIGTERM, signal.SIGINT)


def stopped_by_signals() -> threading.Event:
    """An event that is set once SIGTERM or Ctrl-C comes; to be called in the main thread.

    A handler of Python's is run by the main thread, once it is awake. One that comes at the moment at which that thread
    begins to wait would be run only after the next signal, and the process would never end. So the interpreter itself
    writes each signal's number into a pipe, at once, and a thread of its own reads them there.
    """
    stopped = threading.Event()
    told, teller = os.pipe()  # open for as long as the process lives
    os.set_blocking(teller, False)
    for number in STOPS:
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(teller, warn_on_full_buffer=False)
    threading.Thread(target=_pass_on, args=(told, stopped), name="signals", daemon=True).start()
    return stopped


def _pass_on(told: int, stopped: threading.Event) -> None:
    """Set the event once a signal that stops is told."""
    while not stopped.is_set():
        if set(os.read(told, 64)) & set(STOPS):
            stopped.set()
