"""How gunicorn serves the ingestion engine: one process with several threads, and the worker beside it."""

from ingestion_engine.tending import Tender

wsgi_app = "ingestion_engine.wsgi:application"
worker_class = "gthread"
workers = 1
graceful_timeout = 30
control_socket_disable = True

_tender = Tender()
on_starting = _tender.start
on_exit = _tender.stop
