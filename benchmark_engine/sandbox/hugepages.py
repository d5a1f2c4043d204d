"""Joins the memory of a process into huge pages before it forks: a child gets an entry for each page, and gives each up
at its end, which for hundreds of megabytes in small pages takes longer than a small model's benchmark."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from benchmark_engine.sandbox.kernel import madvise

HUGE_BYTES = 2 << 20
"""The size of a huge page on x86-64, and on ARM with pages of 4 KiB."""
COLLAPSE = 25
HEAP = "[heap]"


def use_huge_pages() -> None:
    """Join what this process has in memory so far, as far as the kernel can: from Linux 6.1 on. It takes half a second.

    What is written to later, here or in a child, is copied in small pages as ever.
    """
    for address in huge_pages(Path("/proc/self/maps").read_text().splitlines()):
        with suppress(OSError):  # one that was never written to, or no huge page is free
            madvise(address, HUGE_BYTES, COLLAPSE)


def huge_pages(maps: Iterable[str]) -> Iterator[int]:
    """Where huge pages fit into what the lines of /proc/PID/maps show of a process' own memory, in bytes."""
    for line in maps:
        addresses, rights, _, _, _, *name = line.split()
        if rights == "rw-p" and name in ([], [HEAP]):
            start, stop = (int(address, 16) for address in addresses.split("-"))
            first = -(-start // HUGE_BYTES) * HUGE_BYTES
            yield from range(first, stop - HUGE_BYTES + 1, HUGE_BYTES)
