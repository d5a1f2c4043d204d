"""How gunicorn serves the dashboard: `gunicorn --config python:atlas_web.gunicorn_config`."""

from telemetry.serving import ACCESS_LINE, SharedCounts, log_configuration

wsgi_app = "atlas_web.wsgi:application"
worker_class = "gthread"
graceful_timeout = 30
control_socket_disable = True
logconfig_dict = log_configuration("dashboard")
access_log_format = ACCESS_LINE

_counts = SharedCounts()
on_starting = _counts.start
on_exit = _counts.stop
