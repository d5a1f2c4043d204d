"""What the kernel ends for want of memory is told from what others end: tried in a control group with little memory."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmark_engine.sandbox import oom

ROOT = Path(__file__).parents[3]
LITTLE = 128 << 20
PROGRAM = """
import os, signal, sys
from benchmark_engine.sandbox import oom
before = oom.kills()
pid = os.fork()
if not pid:
    if sys.argv[1] == "take memory":
        b"x" * (1 << 30)
    os.kill(os.getpid(), signal.SIGKILL)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
print(oom.kills() - before)
"""


def made_group() -> Path:
    """A control group with little memory, of either version."""
    for folder, limit in ((oom.CGROUPS, "memory.max"), (oom.CGROUPS / "memory", "memory.limit_in_bytes")):
        made = folder / f"atlas-test-{os.getpid()}"
        with suppress(OSError):
            made.mkdir()
            if (made / limit).exists():
                (made / limit).write_text(str(LITTLE))
                return made
            made.rmdir()
    pytest.skip("this user cannot make a control group with a limit of memory")


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group with little memory, for the time of a test."""
    made = made_group()
    yield made
    made.rmdir()


@pytest.fixture
def kills_of(group: Path) -> Callable[[str], int]:
    """How many kills are counted round one of a process which does as it is told."""

    def run(act: str) -> int:
        join = lambda: (group / "cgroup.procs").write_text(str(os.getpid()))  # noqa: E731
        command = [sys.executable, "-c", PROGRAM, act]
        ran = subprocess.run(command, cwd=ROOT, preexec_fn=join, capture_output=True, text=True, check=True)
        return int(ran.stdout)

    return run


def test_a_kill_for_want_of_memory_is_counted(kills_of: Callable[[str], int]) -> None:
    assert kills_of("take memory") == 1


def test_any_other_kill_is_not(kills_of: Callable[[str], int]) -> None:
    assert kills_of("none") == 0


def test_kills_can_be_counted_on_any_linux() -> None:
    assert oom.kills() >= 0
