"""Makes libraries at home in a process that can have threads, but no children and no POSIX semaphores."""

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.context import BaseContext
from typing import Any

import joblib

LOCKS = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier")


def adapt() -> None:
    """Locks of `multiprocessing` become those of `threading`, and joblib's workers threads.

    Thread pools, as of a forest with `n_jobs`, ask `multiprocessing` for a lock, which would want /dev/shm.
    """
    for name in LOCKS:
        threaded = getattr(threading, name)
        setattr(BaseContext, name, _ignoring_the_context(threaded))
        setattr(multiprocessing, name, threaded)
    joblib.parallel_config(backend="threading")


def _ignoring_the_context(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _context, *arguments, **options: make(*arguments, **options)
