"""Sends alerts, and nothing else: so that of all processes only this one needs a way out of the network."""

import threading
from functools import partial

from django.db import close_old_connections

from atlas.states import ComponentState
from benchmark_engine.complaints import Complaints
from benchmark_engine.delivering import Deliverer
from benchmark_engine.delivery_settings import DeliverySettings
from benchmark_engine.journal import Journal
from benchmark_engine.senders import send
from benchmark_engine.watched import Pulse

COMPONENT = "messenger"
LOOK_SECONDS = 5.0
"""Messages that are due are looked for at least so often."""


class Messenger:
    """Looks for messages and sends them until it is stopped. Engines may send at the same time: each takes its own."""

    def __init__(self, journal: Journal, settings: DeliverySettings, pulse: Pulse | None = None) -> None:
        self._journal = journal
        self._pulse = pulse or Pulse()
        self._every_seconds = min(settings.lease_seconds / 3, LOOK_SECONDS)
        self._complaints = Complaints(journal)
        self._deliverer = Deliverer(
            journal, partial(send, settings), lease=settings.lease, first_wait=settings.first_wait
        )

    def run(self, stopped: threading.Event) -> None:
        """Send until `stopped` is set; what is being sent then is sent to its end, for a while at most."""
        while not stopped.is_set():
            close_old_connections()
            self._pulse.beat("sending")
            self._complaints.attempt("send alerts", self.look)
            stopped.wait(self._every_seconds)
        self._deliverer.close()

    def look(self) -> None:
        """Begin to send what is due, and give a sign of life."""
        self._deliverer.deliver()
        self._journal.report(COMPONENT, ComponentState.HEALTHY, "sends alerts")
