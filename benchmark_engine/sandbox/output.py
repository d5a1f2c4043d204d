"""What a child prints: read from a pipe as it comes, with the first and the last of it kept."""

import os

KEPT_BYTES = 64 << 10
CHUNK_BYTES = 1 << 16


class Output:
    """Reads a pipe without ever waiting for it, nor for its writer."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.size_bytes = 0
        self._first = bytearray()
        self._last = bytearray()

    def close_writer(self) -> None:
        """The child has its own end of the pipe; with this one open, the pipe would never end."""
        os.close(self.writer)

    def close(self) -> None:
        """Read no more."""
        os.close(self.reader)

    def read(self) -> bool:
        """Take what is there; False once there will be nothing more."""
        try:
            part = os.read(self.reader, CHUNK_BYTES)
        except BlockingIOError:
            return True
        self._keep(part)
        return bool(part)

    def drain(self) -> None:
        """Take all that is left in the pipe of a child that has ended."""
        before = -1
        while before != self.size_bytes:
            before = self.size_bytes
            self.read()

    def text(self) -> str:
        """The first and the last 64 KiB of what was printed."""
        kept = bytes(self._first)
        left_out = self.size_bytes - len(self._first) - len(self._last)
        if left_out:
            kept += f"\n[… {left_out:,} bytes left out …]\n".encode()
        kept += bytes(self._last)
        return kept.decode("utf-8", errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")

    def _keep(self, part: bytes) -> None:
        self.size_bytes += len(part)
        room = KEPT_BYTES - len(self._first)
        self._first += part[:room]
        self._last += part[room:]
        del self._last[:-KEPT_BYTES]
