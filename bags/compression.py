"""Compressed chunks of bags: what comes out of them, also of one whose end is missing."""

from collections.abc import Iterator

import pyarrow as pa

LONGEST_CHUNK = 1 << 28  # bytes, decompressed; recorders make chunks of about a megabyte
_PIECE = 1 << 20


def decompressed(content: bytes, compression: str, size: int) -> bytes:
    """What a chunk held: fewer bytes than `size` if it is cut off or damaged, never more.

    Args:
        compression: `lz4` (frames), `zstd` or `bz2`.
    """
    return b"".join(_pieces(content, compression, min(size, LONGEST_CHUNK)))


def _pieces(content: bytes, compression: str, size: int) -> Iterator[bytes]:
    try:
        with pa.CompressedInputStream(pa.BufferReader(content), compression) as stream:
            while size > 0 and (piece := stream.read(min(size, _PIECE))):
                size -= len(piece)
                yield piece
    except (OSError, pa.ArrowException):  # it says no more than that the stream ends or is damaged here
        return
