"""The ingestion engine as a WSGI application, for gunicorn."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ingestion_engine.settings")
application = get_wsgi_application()

from ingestion_engine.versions import announce_to  # noqa: E402 - it needs the tables
from ingestion_engine.webhooks import Receiver  # noqa: E402 - after the settings

for url in settings.ATLAS_WEBHOOKS:  # type: ignore[misc]  # a setting of this process alone
    announce_to(Receiver(url, settings.ATLAS_WEBHOOK_SECRET).announce)  # type: ignore[misc]
