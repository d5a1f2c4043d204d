"""Where benchmarks run: a `concurrent.futures.Executor`.

Each task of the local executor is a thread that watches over one sandboxed process, where the work is done.
"""

import os
from concurrent.futures import Executor, ThreadPoolExecutor


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def local_executor(workers: int) -> Executor:
    """Runs up to `workers` benchmarks at a time on this machine."""
    return ThreadPoolExecutor(max_workers=workers, thread_name_prefix="benchmark")
