"""What an engine counts and measures of its own work, for Prometheus. No Django: it is used where benchmarks run.

Each process counts for itself. The engine shows its counts; a Dask worker has nobody who asks for them.
"""

from prometheus_client import Counter, Gauge, Histogram

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

FINISHED = Counter(
    "atlas_engine_benchmarks_total",
    "Benchmarks that this engine ended, by what became of them and of what they failed",
    ("outcome", "failure"),
)
PHASE_SECONDS = Histogram(
    "atlas_engine_phase_seconds", "Time that a benchmark was in a phase", ("phase",), buckets=BUCKETS
)
BENCHMARK_SECONDS = Histogram(
    "atlas_engine_benchmark_seconds", "Time from handing a benchmark out until it ended", buckets=BUCKETS
)
DISPATCH_SECONDS = Histogram(
    "atlas_engine_dispatch_seconds",
    "Time from when a benchmark could have been started until it was",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0, 86400.0),
)
RUNNING = Gauge("atlas_engine_running_benchmarks", "Benchmarks that run now")
CAPACITY = Gauge("atlas_engine_capacity_benchmarks", "Benchmarks that may run at a time")
ADMITTED = Gauge("atlas_engine_admitted_memory_bytes", "Memory that what runs now is expected to take")
MEMORY = Gauge("atlas_engine_capacity_memory_bytes", "Memory that all benchmarks may take together")

JOB_SECONDS = Histogram("atlas_engine_job_seconds", "Time that a scheduled job took", ("job",), buckets=BUCKETS)
JOB_FAILURES = Counter("atlas_engine_job_failures_total", "Scheduled jobs that raised an error", ("job",))
NEWS_SECONDS = Histogram(
    "atlas_engine_news_seconds", "Time from hearing of a model or version until it was looked at", buckets=BUCKETS
)
DELIVERIES = Counter("atlas_alert_deliveries_total", "Tries to send a message about an alert", ("outcome",))

CACHE_REQUESTS = Counter("atlas_cache_requests_total", "Files that were asked for", ("result",))
CACHE_EVICTIONS = Counter("atlas_cache_evictions_total", "Files that were removed to make room")
CACHE_BYTES = Gauge("atlas_cache_bytes", "Size of all files in the cache, as it was when one was added last")
CACHE_LIMIT = Gauge("atlas_cache_limit_bytes", "Size that the cache is kept below")
DISK_FREE = Gauge("atlas_engine_disk_free_bytes", "Space that is left on the disk of a folder", ("folder",))

CHILDREN = Counter("atlas_sandbox_children_total", "Processes in which models ran, by how they ended", ("ending",))
KILLS = Counter("atlas_sandbox_kills_total", "Processes that were ended before they were done", ("reason",))
ZYGOTES = Counter("atlas_sandbox_zygote_restarts_total", "Times that the process that starts children had ended")


def show_load(running: int, admitted_bytes: int, most: int, most_bytes: int) -> None:
    """How busy this engine is: benchmarks, the memory that they may take, and the most of both."""
    RUNNING.set(running)
    ADMITTED.set(admitted_bytes)
    CAPACITY.set(most)
    MEMORY.set(most_bytes)
