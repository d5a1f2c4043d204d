"""News as it happens: models that arrive in the object store, dataset versions that are announced."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connections
from tenacity import (
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from atlas.errors import ObjectStoreError
from benchmark_engine import metrics
from benchmark_engine.connector import MODELS
from benchmark_engine.settings import EngineSettings
from benchmark_engine.webhook import Webhook, WebhookServer
from storage.objects import NoEventsError, ObjectStore

LONGEST_PAUSE_SECONDS = 5.0
PAUSE_SECONDS = 1.0
"""Between a connection that was lost and the next one."""
CLOSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What arrived and was not looked at yet.

    Attributes:
        keys: of objects that may be models.
        tags: that may have a new version.
        missed: whether other models may have arrived, unseen.
    """

    keys: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    missed: bool = False

    def __or__(self, other: "News") -> "News":
        return News(keys=self.keys | other.keys, tags=self.tags | other.tags, missed=self.missed or other.missed)


class Inbox:
    """Gathers news from several threads for one that takes it; what is told twice meanwhile is looked at once."""

    def __init__(self) -> None:
        self._news = News()
        self._told = 0.0
        self._closed = False
        self._changed = threading.Condition()

    def tell(self, news: News) -> None:
        """Add to what is to be looked at."""
        with self._changed:
            if self._news == News():
                self._told = time.monotonic()
            self._news |= news
            self._changed.notify()

    def take(self) -> News | None:
        """All that was told since the last time; waits for something. None once the inbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._news != News())
            news, self._news = self._news, News()
            if not self._closed:
                metrics.NEWS_SECONDS.observe(time.monotonic() - self._told)
            return None if self._closed else news

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Events:
    """Listens to the object store and, if the settings name an address, to announcements; hands on what is new.

    Raises:
        SettingsError: the address cannot be had.
    """

    def __init__(self, objects: ObjectStore, settings: EngineSettings, handle: Callable[[News], None]) -> None:
        self._objects = objects
        self._handle = handle
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._threads = [self._thread(self._listen), self._thread(self._hand_on)]
        if settings.webhook_address:
            webhook = Webhook(settings.webhook_secret, lambda tag: self._inbox.tell(News(tags=frozenset({tag}))))
            server = WebhookServer(settings.webhook_address, webhook)
            self._threads.append(self._thread(lambda: server.run(self._stop)))
            logger.info("New dataset versions can be announced at port %s.", server.port)

    def start(self) -> None:
        """Listen, in threads of its own."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Listen no more, and let what is being looked at come to an end."""
        self._stop.set()
        self._inbox.close()
        for thread in self._threads:
            thread.join(CLOSE_SECONDS)

    @staticmethod
    def _thread(work: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=work, name="events", daemon=True)

    def _hand_on(self) -> None:
        while (news := self._inbox.take()) is not None:
            self._handle(news)
        connections.close_all()

    def _listen(self) -> None:
        """Listen to the object store as long as it is offered; whenever the connection is lost, make another."""
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, ObjectStoreError) and error.retry_helps),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE_SECONDS),
            sleep=sleep_using_event(self._stop),
            stop=stop_when_event_set(self._stop),
            retry_error_callback=lambda _: None,
        )
        try:
            while not self._stop.is_set():
                retrying(self._listen_once)
                self._stop.wait(PAUSE_SECONDS)
        except NoEventsError as error:
            logger.info("%s: new models are found by listing.", error)

    def _listen_once(self) -> None:
        with self._objects.changes(MODELS, self._stop) as keys:
            logger.info("The object store tells of new models.")
            self._inbox.tell(News(missed=True))
            try:
                for key in keys:
                    self._inbox.tell(News(keys=frozenset({key})))
            except ObjectStoreError as error:
                logger.warning("The object store tells of nothing until it is reached again: %s", error)
