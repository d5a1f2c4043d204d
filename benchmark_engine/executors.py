"""What watches over benchmarks: a thread for each, while the work is done in a process of its own, wherever that is."""

import ctypes
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module

import pyarrow as pa
from threadpoolctl import threadpool_limits


def keep_to_one_thread() -> None:
    """Have this process' own numeric libraries use one thread from now on: the cores are for the models."""
    import_module("sklearn.metrics")  # brings the libraries that are to be limited
    threadpool_limits(limits=1)


def give_memory_back() -> None:
    """Return to the system what this process has freed, and its libraries keep for the next time."""
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)


def watchers(most: int) -> Executor:
    """Threads for up to so many benchmarks at a time, started as they are needed."""
    return ThreadPoolExecutor(max_workers=most, thread_name_prefix="benchmark")
