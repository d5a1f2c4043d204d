"""How much memory a benchmark will take, and which of those that wait may start. Pure functions."""

from collections.abc import Iterable, Sequence

from storage.catalog import Measured, Need, Peer

LIBRARIES_BYTES = 256 << 20
"""What a child takes that has loaded nothing of its own: Python and the libraries."""
BUNDLE_COPIES = 4
"""A model in memory is larger than its file, and both are there while it is loaded."""
DATA_COPIES = 4
"""The rows, the data frame made of them, what a pipeline makes of it, and what the model computes on the way."""
FARTHEST = 10
"""A benchmark of fewer rows than a tenth tells how much there was at least, but not how it grows."""
SIMILAR = 2
"""Files whose sizes differ by no more than this factor are similar."""


def estimate(need: Need, peers: Sequence[Peer], *, limit: int) -> int:
    """The bytes of memory that a benchmark will take at most, as far as one can tell, and never more than `limit`.

    What the same model took on other rows tells best, then what similar models took, then the sizes of the files.
    """
    known = [need.earlier] if need.earlier else [peer.measured for peer in peers if _similar(need, peer)]
    near = [_scaled(measured, need.rows) for measured in known if measured.rows * FARTHEST >= need.rows]
    least = max((measured.peak_bytes for measured in known), default=0)
    return min(limit, max([least, *(near or [_from_sizes(need)])]))


def admitted(estimates: Iterable[int], *, room: int, alone: bool) -> int:
    """How many of the benchmarks that wait may start now.

    The queue's order holds: what does not fit lets nothing past, so that it is never left waiting for ever.

    Args:
        estimates: what each will take, in the queue's order.
        room: bytes of memory that are left.
        alone: whether nothing runs; then the first one starts even if it fits nowhere.
    """
    number = 0
    for needed in estimates:
        if needed > room and not (alone and number == 0):
            break
        room -= needed
        number += 1
    return number


def _similar(need: Need, peer: Peer) -> bool:
    smaller, larger = sorted((need.bundle_bytes, peer.bundle_bytes))
    return peer.format == need.format and larger <= SIMILAR * smaller


def _scaled(measured: Measured, rows: int) -> int:
    """The peak for so many rows: what the libraries take stays, the rest grows with the rows and never shrinks."""
    own = max(measured.peak_bytes - LIBRARIES_BYTES, 0)
    return measured.peak_bytes + round(own * max(rows / max(measured.rows, 1) - 1, 0))


def _from_sizes(need: Need) -> int:
    return LIBRARIES_BYTES + BUNDLE_COPIES * need.bundle_bytes + DATA_COPIES * need.data_bytes
