"""`python -m ingestion_engine.tending`: keeps the worker running for as long as the process at the other end of its
standard input lives. gunicorn starts it and ends it.

It loads nothing of the engine, so that whatever kills the worker does not touch it.
"""

import logging
import subprocess
import sys
from select import select

from atlas.logs import configure

COMMAND = (sys.executable, "-m", "ingestion_engine.background")
AGAIN_SECONDS = 1.0
STOP_SECONDS = 30.0

logger = logging.getLogger(__name__)


class Tender:
    """gunicorn's hooks that start the tending process before it serves, and end it when it stops."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, _server: object) -> None:
        """Start it, tied to this process by a pipe: however this one ends, the worker does."""
        command = [sys.executable, "-m", "ingestion_engine.tending"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def stop(self, _server: object) -> None:
        """Let go of it, and wait until it and the worker have ended."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(STOP_SECONDS)


def has_ended(seconds: float = 0.0) -> bool:
    """Whether the engine has ended; waits so long at most for it to do so. Nothing is ever written to the pipe."""
    readable, _, _ = select([sys.stdin], [], [], seconds)
    return bool(readable)


def main() -> None:
    """Start the worker again whenever it ends, until the engine has ended."""
    configure("ingestion")
    while not has_ended():
        status = subprocess.run(COMMAND, check=False).returncode
        if not has_ended(AGAIN_SECONDS):
            logger.warning("The worker ended with status %d; it is started again.", status)


if __name__ == "__main__":
    main()
