"""A network that breaks off: a proxy that closes connections in the midst of what is sent."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

_PIECE = 16_384


class BadNetwork:
    """Passes on what comes to its port; each time that so many bytes have been sent, it breaks off once."""

    def __init__(self, target: int, breaks: Sequence[int]) -> None:
        self._target, self._breaks = target, list(breaks)
        self._sent, self.broken = 0, 0
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]

    @contextmanager
    def running(self) -> Iterator[None]:
        """It works while the block runs."""
        self._threads[0].start()
        try:
            yield
        finally:
            with suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            for thread in self._threads:
                thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                for source, target, counts in ((near, far, True), (far, near, False)):
                    thread = threading.Thread(target=self._pass_on, args=(source, target, counts))
                    self._threads.append(thread)
                    thread.start()

    def _pass_on(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        """In one direction, until either end closes."""
        with suppress(OSError):
            while content := source.recv(_PIECE):
                if counts and self._breaks_off(len(content)):
                    break
                target.sendall(content)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()

    def _breaks_off(self, count: int) -> bool:
        with self._lock:
            self._sent += count
            if self._breaks and self._sent >= self._breaks[0]:
                del self._breaks[0]
                self.broken += 1
                return True
            return False
