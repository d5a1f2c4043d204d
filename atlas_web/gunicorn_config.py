"""How gunicorn serves the dashboard: `gunicorn --config python:atlas_web.gunicorn_config`."""

import os

from atlas_web.serving_settings import ServingSettings
from telemetry.serving import ACCESS_LINE, SharedCounts, check_start, log_configuration, or_end

wsgi_app = "atlas_web.wsgi:application"
worker_class = "gthread"
# Each worker loads the dashboard itself: loaded before they are made, the library of metrics would not know of their
# common folder. It costs about 60 MiB a worker.
preload_app = False
_given = or_end(ServingSettings.from_environment)
bind = _given.address
workers = _given.workers
threads = _given.threads
max_requests, max_requests_jitter = 20_000, 4_000
"""A worker is replaced by a new one now and then, not all at a time: whatever a library leaks goes with it."""
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - heartbeats, on no disk
graceful_timeout = 30
control_socket_disable = True
logconfig_dict = log_configuration("dashboard")
access_log_format = ACCESS_LINE

_counts = SharedCounts()
on_exit = _counts.stop


def on_starting(server: object) -> None:
    """See that the dashboard can begin, then make the folder in which its workers count."""
    check_start("atlas_web.settings")
    _counts.start(server)
