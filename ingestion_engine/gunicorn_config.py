"""How gunicorn serves the ingestion engine: one process with several threads."""

import logging

from django.utils import timezone

from atlas.errors import AtlasError

wsgi_app = "ingestion_engine.wsgi:application"
worker_class = "gthread"
workers = 1
graceful_timeout = 30
control_socket_disable = True


def post_worker_init(_worker: object) -> None:
    """Bring the tags up to date that a crash left behind."""
    from ingestion_engine.places import object_store
    from ingestion_engine.versions import refresh_all

    try:
        refresh_all(object_store(), now=timezone.now())
    except AtlasError:
        logging.getLogger(__name__).exception(
            "The tags could not be brought up to date; the next recording tries again."
        )
