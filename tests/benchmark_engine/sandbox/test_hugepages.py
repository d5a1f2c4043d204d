"""Memory that is joined into huge pages holds what it held."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark_engine.sandbox.hugepages import HUGE_BYTES, huge_pages

CONTENT = """
from pathlib import Path
from benchmark_engine.sandbox.hugepages import use_huge_pages
content = bytes(range(256)) * (64 << 10)
use_huge_pages()
sizes = [line for line in Path("/proc/self/smaps").read_text().splitlines() if line.startswith("AnonHugePages")]
print(content == bytes(range(256)) * (64 << 10), sum(int(line.split()[1]) for line in sizes))
"""


def test_huge_pages_lie_within_memory_of_the_process_alone() -> None:
    maps = [
        "00201000-00a01000 rw-p 00000000 00:00 0",
        "01000000-01200000 rw-p 00000000 00:00 0                  [heap]",
        "02000000-03000000 r-xp 00000000 08:01 42                 /usr/lib/libexample.so",
        "03000000-04000000 rw-p 00000000 08:01 42                 /usr/lib/libexample.so",
        "04000000-05000000 rw-s 00000000 00:00 0",
        "05000000-051fffff rw-p 00000000 00:00 0",
        "06000000-07000000 rw-p 00000000 00:00 0                  [stack]",
    ]
    assert list(huge_pages(maps)) == [0x400000, 0x600000, 0x800000, 0x1000000]


def joins_memory() -> bool:
    """Whether the kernel joins memory on demand, as Linux does from 6.1 on."""
    version = tuple(map(int, platform.release().split(".")[:2]))
    return version >= (6, 1) and Path("/sys/kernel/mm/transparent_hugepage").exists()


@pytest.mark.skipif(not joins_memory(), reason="the kernel joins no memory into huge pages")
def test_memory_is_joined_and_holds_what_it_held() -> None:
    said = subprocess.run([sys.executable, "-c", CONTENT], capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == "True"
    assert int(said[1]) >= HUGE_BYTES >> 10
