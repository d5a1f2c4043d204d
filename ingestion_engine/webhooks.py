"""Announcing new versions to those who asked for it, in the background: nobody who sends data waits for a receiver."""

import logging
import threading

import httpx
from django.conf import settings
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from atlas import webhooks
from ingestion_engine.versions import announce_to

ATTEMPTS = 6
TIMEOUT_SECONDS = 5.0

logger = logging.getLogger(__name__)


def announce_versions() -> None:
    """From now on, tell the addresses that the settings name of each version that this process makes."""
    for url in settings.ATLAS_WEBHOOKS:  # type: ignore[misc]  # a setting of this engine alone
        announce_to(Receiver(url, settings.ATLAS_WEBHOOK_SECRET).announce)  # type: ignore[misc]


class Receiver:
    """An address to which the tags are sent that have a new version, each at most `attempts` times.

    An announcement that is lost costs time only: a receiver also asks for new versions from time to time. What is
    announced twice before it could be sent is sent once. The thread that sends ends with the process.
    """

    def __init__(self, url: str, secret: str, *, attempts: int = ATTEMPTS) -> None:
        self._url = url
        self._secret = secret
        self._waiting: dict[str, None] = {}
        self._changed = threading.Condition()
        self._post_patiently = Retrying(
            retry=retry_if_exception(_may_pass),
            wait=wait_exponential(multiplier=0.2, max=10),
            stop=stop_after_attempt(attempts),
            reraise=True,
        ).wraps(self._post)
        threading.Thread(target=self._send_all, name=f"announcements to {url}", daemon=True).start()

    def announce(self, tag: str) -> None:
        """Say that a tag has a new version; it returns at once and never fails."""
        with self._changed:
            self._waiting[tag] = None
            self._changed.notify()

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                tag = next(iter(self._waiting))
                del self._waiting[tag]
            self._send(webhooks.NewVersion(tag=tag))

    def _send(self, version: webhooks.NewVersion) -> None:
        try:
            self._post_patiently(version.model_dump_json().encode())
        except httpx.HTTPStatusError as error:
            logger.warning("%s refused an announcement: %s", self._url, error.response.text[:500].strip())
        except httpx.HTTPError as error:
            logger.warning("%s was not told that %s has a new version: %s", self._url, version.tag, error)

    def _post(self, body: bytes) -> None:
        signature = webhooks.signature(body, self._secret)
        headers = {"Content-Type": "application/json", webhooks.SIGNATURE_HEADER: signature}
        httpx.post(self._url, content=body, headers=headers, timeout=TIMEOUT_SECONDS).raise_for_status()


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error or error.response.status_code == httpx.codes.TOO_MANY_REQUESTS
    return isinstance(error, httpx.TransportError)
