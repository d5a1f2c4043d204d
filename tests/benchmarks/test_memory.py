"""Tests of how memory is measured, on processes that take a known amount."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.memory import Peak, family, private, shared_out

SIZE = 64 << 20
MAPS = """
import mmap, sys
file = open(sys.argv[1])
mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
sum(mapped[::4096])
print("ready", flush=True)
input()
"""
ALLOCATES = f"""
held = b"x" * {SIZE}
print("ready", flush=True)
input()
"""
HAS_A_CHILD = """
import subprocess, sys
with subprocess.Popen([sys.executable, "-c", "print('ready', flush=True); input()"]) as child:
    child.wait()
"""


@contextmanager
def started(program: str, *arguments: str) -> Iterator[int]:
    """The process id of a program that has said that it is ready."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.communicate("\n")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that processes map into memory."""
    path = tmp_path / "data"
    path.write_bytes(b"\1" * SIZE)
    return path


def test_what_two_processes_map_counts_once_together_and_for_neither_alone(file: Path) -> None:
    with started(MAPS, str(file)) as one:
        alone = shared_out([one])
        with started(MAPS, str(file)) as other:
            both = shared_out([one, other])
            assert private([one, other]) < SIZE
    assert alone > SIZE
    assert both - alone < SIZE / 2


def test_what_a_process_allocates_counts_in_both_ways() -> None:
    with started(ALLOCATES) as pid:
        assert private([pid]) > SIZE
        assert shared_out([pid]) > SIZE


def test_a_family_is_a_process_with_what_it_has_started() -> None:
    with started(HAS_A_CHILD) as pid:
        parent, child = family(pid)
    assert parent == pid
    assert child != pid


def test_a_process_that_is_gone_takes_nothing() -> None:
    with started(ALLOCATES) as pid:
        pass
    assert family(pid) == []
    assert private([pid]) == 0


def test_a_peak_remembers_what_was_given_back() -> None:
    sizes = iter([1, 7, 2])
    seen = threading.Event()

    def measure() -> int:
        size = next(sizes, 0)
        if size == 0:
            seen.set()
        return size

    with Peak(measure) as peak:
        assert seen.wait(30)
    assert peak.size_bytes == 7
