"""`python -m ingestion_engine.background`: the worker's process, which the engine starts and which ends with it."""

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import django
from django.db import close_old_connections
from django.utils import timezone

from ingestion_engine.confined import Limits, StoppedError
from ingestion_engine.tending import has_ended
from storage.objects import open_store

POLL_SECONDS = 0.2
AGAIN_SECONDS = 2.0
HOURLY, DAILY = timedelta(hours=1), timedelta(days=1)

logger = logging.getLogger(__name__)


def main() -> None:
    """Work until the engine ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ingestion_engine.settings")
    django.setup()
    from ingestion_engine import receiving, retention, webhooks, worker
    from ingestion_engine.places import object_store
    from ingestion_engine.settings import OWN
    from ingestion_engine.watching import watch
    from storage.retention import RetentionSettings, remove_expired_sessions

    webhooks.announce_versions()
    kept = RetentionSettings.from_environment()
    limits = Limits(memory_bytes=OWN.decode_memory_mb << 20, seconds=OWN.decode_seconds)

    stop = threading.Event()
    if OWN.ingestion_inbox:
        place = open_store(OWN.ingestion_inbox)
        watching = (place, object_store(), stop, timezone.now)
        threading.Thread(target=watch, args=watching, name="inbox", daemon=True).start()

    def work(now: datetime) -> bool:
        return worker.work_once(object_store(), now, limits=limits, meanwhile=_stop_if_ended)

    def forget(now: datetime) -> bool:
        return receiving.remove_abandoned(object_store(), now=now) > 0

    def remove_old(now: datetime) -> bool:
        return retention.remove_old(object_store(), kept, now) + remove_expired_sessions(now) > 0

    due = {forget: HOURLY, remove_old: DAILY}
    last: dict[Callable[[datetime], bool], datetime] = {}
    while not has_ended():
        now = timezone.now()
        for task in [task for task, period in due.items() if task not in last or now - last[task] > period]:
            last[task] = now
            _tried(task, now)
        if not _tried(work, now):
            has_ended(POLL_SECONDS)


def _tried(work: Callable[[datetime], bool], now: datetime) -> bool:
    """Do some work; whether there was any. What fails is told, and tried again later."""
    close_old_connections()
    try:
        return work(now)
    except StoppedError:
        return False
    except Exception:
        logger.exception("The worker's last piece of work failed; it goes on in a moment.")
        has_ended(AGAIN_SECONDS)
        return False


def _stop_if_ended() -> None:
    if has_ended():
        raise StoppedError


if __name__ == "__main__":
    main()
