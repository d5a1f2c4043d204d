"""Makes libraries at home in a process that can have some threads, but no children and no POSIX semaphores."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.context import BaseContext
from typing import Any

import joblib
import threadpoolctl
from joblib.parallel import SequentialBackend, ThreadingBackend

LOCKS = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",  # of who asks for more than the first, such as a booster with an `n_jobs` of its own
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",  # what joblib takes for the number of cores
)
"""How libraries are told how many threads to use; most read it when they are loaded."""


class CappedThreads(ThreadingBackend):  # type: ignore[misc]  # untyped
    """joblib's threads: never more than `allowed`, whatever `n_jobs` says, and none within each other."""

    def __init__(self, *, allowed: int, **options: Any) -> None:
        super().__init__(**options)
        self._allowed = allowed

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """How many threads to start for who asks for so many."""
        asked: int = super().effective_n_jobs(n_jobs)
        return min(asked, self._allowed)

    def get_nested_backend(self) -> tuple[SequentialBackend, None]:
        """What runs in one of these threads runs one after the other."""
        return SequentialBackend(nesting_level=(self.nesting_level or 0) + 1), None


def adapt(most_threads: int) -> None:
    """Locks of `multiprocessing` become those of `threading`, and joblib's workers become a few threads.

    Thread pools, as of a forest with `n_jobs`, ask `multiprocessing` for a lock, which would want /dev/shm. Libraries
    use as many threads as the environment says, or `most_threads` if that is less.
    """
    for name in LOCKS:
        threaded = getattr(threading, name)
        setattr(BaseContext, name, _ignoring_the_context(threaded))
        setattr(multiprocessing, name, threaded)
    limit_threads(most_threads)


def limit_threads(most: int) -> None:
    """Have all libraries use as many threads as the environment says, or `most` if that is less."""
    given = int(os.environ.get(THREAD_VARIABLES[0], most))
    allowed = min(given, most)
    if allowed < given:  # what is loaded has read its variable already
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(allowed)))
        threadpoolctl.threadpool_limits(allowed)
    for name in ("threading", "loky", "multiprocessing"):
        joblib.register_parallel_backend(name, partial(CappedThreads, allowed=allowed))
    joblib.parallel_config(backend="threading")


def _ignoring_the_context(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _context, *arguments, **options: make(*arguments, **options)
