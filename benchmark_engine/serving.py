"""A small HTTP server for what the engine answers itself."""

import socket
import threading
from wsgiref.types import WSGIApplication

from waitress import create_server, wasyncore

from atlas.errors import SettingsError

MAX_UNREAD_BYTES = 1 << 20
"""A request that says to be larger is ended by the server before it is received."""
LOOP_SECONDS = 0.5
MAX_PORT = 65535


class Server:
    """Serves an application at `host:port`, which it takes at once; port 0 stands for a free one.

    Raises:
        SettingsError: the address, which `variable` gave, cannot be had.
    """

    def __init__(self, address: str, application: WSGIApplication, *, variable: str) -> None:
        try:
            listener = _listener(address)
        except (OSError, ValueError) as error:
            raise SettingsError(f"{variable}: cannot listen at {address}: {error}") from error
        self.port: int = listener.getsockname()[1]
        self._sockets: dict[int, wasyncore.dispatcher] = {}
        self._server = create_server(
            application,
            map=self._sockets,
            sockets=[listener],
            threads=1,
            max_request_body_size=MAX_UNREAD_BYTES,
            ident="Atlas",
        )

    def run(self, stop: threading.Event) -> None:
        """Serve; it ends about half a second after `stop` is set."""
        while not stop.is_set():
            wasyncore.loop(timeout=LOOP_SECONDS, use_poll=True, map=self._sockets, count=1)
        self.close()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)


def _listener(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    if int(port) > MAX_PORT:
        raise ValueError(f"a port is at most {MAX_PORT}")
    host = host.strip("[]")
    return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
