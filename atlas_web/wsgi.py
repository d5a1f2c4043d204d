"""The dashboard as a WSGI application, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from telemetry import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
tracing.start("dashboard")
application = get_wsgi_application()
