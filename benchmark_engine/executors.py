"""What watches over benchmarks: a thread for each, while the work is done in a process of its own, wherever that is."""

import os
from concurrent.futures import Executor, ThreadPoolExecutor


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def watchers(most: int) -> Executor:
    """Threads for up to so many benchmarks at a time, started as they are needed."""
    return ThreadPoolExecutor(max_workers=most, thread_name_prefix="benchmark")
