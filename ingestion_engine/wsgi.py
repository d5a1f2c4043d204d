"""The ingestion engine as a WSGI application, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from telemetry import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ingestion_engine.settings")
tracing.start("ingestion")
application = get_wsgi_application()

from ingestion_engine.webhooks import announce_versions  # noqa: E402 - it needs the settings and the tables

announce_versions()
