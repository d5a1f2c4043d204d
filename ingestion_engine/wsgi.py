"""The ingestion engine as a WSGI application, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ingestion_engine.settings")
application = get_wsgi_application()

from ingestion_engine.webhooks import announce_versions  # noqa: E402 - it needs the settings and the tables

announce_versions()
