"""Models that are sent every second, whatever happens to those who receive them, until each was acknowledged."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from atlas.errors import ApiUnavailableError
from tests.compose.visitor import Scientist
from tests.e2e.chaos.workload import packed

AT_ONCE = 8
"""So many uploads may wait for whoever receives them while the next ones begin."""
GIVE_UP_SECONDS = 300.0


@dataclass
class Uploads:
    """Begins to send one more model each second, until the block ends; then waits until all were acknowledged.

    Attributes:
        scientist: who sends them.
        folder: where their bundles are written.
        at_least: no fewer are sent.
        acknowledged: the names of the models that Atlas said to have.
    """

    scientist: Scientist
    folder: Path
    at_least: int
    acknowledged: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._begin_all, name="uploads")
        self._sent: list[Future[None]] = []

    def __enter__(self) -> "Uploads":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        for sent in self._sent:
            sent.result()

    def _begin_all(self) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while (number := len(self._sent)) < self.at_least or not self._enough.is_set():
                due = time.monotonic() + 1
                self._sent.append(pool.submit(self._send, number, packed(number, self.folder)))
                time.sleep(max(0.0, due - time.monotonic()))

    def _send(self, number: int, bundle: Path) -> None:
        """Send it again and again until it is acknowledged, as scripts do that can wait; a refusal is for good."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while number not in self.acknowledged:
            try:
                self.acknowledged[number] = self.scientist.atlas.push(bundle).model
            except ApiUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
