"""How gunicorn serves the ingestion engine: one process with several threads, and the worker beside it."""

from ingestion_engine.tending import Tender
from telemetry.serving import ACCESS_LINE, SharedCounts, check_start, log_configuration

wsgi_app = "ingestion_engine.wsgi:application"
worker_class = "gthread"
workers = 1
graceful_timeout = 30
control_socket_disable = True
logconfig_dict = log_configuration("ingestion")
access_log_format = ACCESS_LINE

_counts = SharedCounts()
_tender = Tender()


def on_starting(server: object) -> None:
    """See that the engine can begin, then start the worker, which counts in the same folder."""
    check_start("ingestion_engine.settings")
    _counts.start(server)
    _tender.start(server)


def on_exit(server: object) -> None:
    """End the worker, then remove the folder."""
    _tender.stop(server)
    _counts.stop(server)
