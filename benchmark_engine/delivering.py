"""Sending what alerts have to say: each channel by itself, so that one that is slow or away keeps no other waiting."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import close_old_connections, connections
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from atlas.errors import DeliveryError
from atlas.states import Level
from benchmark_engine import metrics
from benchmark_engine.complaints import AWAY, Complaints
from benchmark_engine.journal import Journal
from storage import alerting, records
from storage.alerting import Message
from storage.records import Sending

CLOSE_SECONDS = 30.0
MOST_SAID = 2_000
"""So many characters of what a receiver says are kept."""
Send = Callable[[Message, datetime], str]


class Deliverer:
    """Sends the messages that wait, in the background.

    A message is sent once: engines take it by comparing and setting, and what cannot be sent is tried again. Only if an
    engine dies when a receiver has just taken one, before that is kept, it is sent again, under the same id.
    """

    def __init__(self, journal: Journal, send: Send, *, lease: timedelta, first_wait: timedelta) -> None:
        """
        Args:
            journal: of the process that sends.
            send: sends a message, as `benchmark_engine.senders.send` does.
            lease: for how long a message is this engine's, unless `deliver` is called again meanwhile.
            first_wait: before the second try; doubled before each more, an hour at most.
        """
        self._journal = journal
        self._send = send
        self._lease, self._first_wait = lease, first_wait
        self._complaints = Complaints(journal)
        self._closing = threading.Event()
        self._threads: dict[int, threading.Thread] = {}
        self._sending: dict[int, Sending] = {}

    def deliver(self) -> None:
        """Begin to send what is due to each channel that nothing is being sent to, and go on with the rest."""
        now = self._journal.clock()
        records.keep_sending(list(self._sending.values()), lease=self._lease, now=now)
        self._threads = {channel: thread for channel, thread in self._threads.items() if thread.is_alive()}
        for channel in set(alerting.channels_to_serve(now)) - self._threads.keys():
            thread = threading.Thread(target=self._serve, args=(channel,), name=f"alerts to {channel}", daemon=True)
            self._threads[channel] = thread
            thread.start()

    def close(self) -> None:
        """Begin no further message, and wait a while for those that are being sent."""
        self._closing.set()
        for thread in self._threads.values():
            thread.join(CLOSE_SECONDS)

    def _serve(self, channel: int) -> None:
        try:
            self._complaints.attempt(f"send alerts to channel {channel}", lambda: self.send_all(channel))
        finally:
            connections.close_all()

    def send_all(self, channel: int) -> None:
        """Send what is due to a channel, one after the other, until one cannot be sent for now."""
        while not self._closing.is_set():
            message = alerting.next_message(channel, self._journal.clock())
            if message is None or not self._sent(channel, message):
                return

    def _sent(self, channel: int, message: Message) -> bool:
        """Send a message; whether it makes sense to go on with the next one."""
        now = self._journal.clock()
        taken = records.begin_sending(message.delivery, message.attempts, lease=self._lease, now=now)
        if taken is None:
            return True
        self._sending[channel] = taken
        try:
            remark = self._send(message, now)
        except DeliveryError as error:
            return self._failed(taken, message, error)
        except Exception:
            self._try_later(taken, message, "The engine failed to send it; its log says how.")
            raise
        else:
            metrics.DELIVERIES.labels("sent").inc()
            said = readable(remark)
            return self._keep(lambda: records.has_sent(taken, now=self._journal.clock(), remark=said))
        finally:
            del self._sending[channel]

    def _keep(self, has_sent: Callable[[], bool]) -> bool:
        """Keep that a message was sent, even if the database is away for a moment: else it would be sent again."""
        return Retrying(
            retry=retry_if_exception_type(AWAY),
            before_sleep=lambda _: close_old_connections(),
            wait=wait_fixed(0.2),
            stop=stop_after_delay(self._lease.total_seconds() / 2),
            reraise=True,
        )(has_sent)

    def _failed(self, taken: Sending, message: Message, error: DeliveryError) -> bool:
        problem = readable(str(error))
        if error.retry_helps:
            self._try_later(taken, message, problem)
        elif records.give_up(taken, problem):
            metrics.DELIVERIES.labels("given up").inc()
            self._say_given_up(message, problem)
        return not error.retry_helps

    def _try_later(self, taken: Sending, message: Message, problem: str) -> None:
        metrics.DELIVERIES.labels("failed").inc()
        if records.not_sent(taken, problem, first_wait=self._first_wait, now=self._journal.clock()):
            self._say_given_up(message, problem)

    def _say_given_up(self, message: Message, problem: str) -> None:
        what = f": {message.about.text}" if message.about else ", which was a test"
        self._journal.log(f"{message.channel} was not told{what}", level=Level.ERROR, detail=problem)


def readable(said: str) -> str:
    """What a receiver said, in one line; it may hold anything, also what no database takes."""
    return "".join(sign if sign.isprintable() else " " for sign in said[:MOST_SAID]).strip()
