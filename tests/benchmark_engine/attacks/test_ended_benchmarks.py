"""Hostile bundles that go on until they are ended: each ends in a class that says why."""

import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from atlas.limits import ModelLimits
from atlas.states import FailureClass
from benchmark_engine.sandbox.limits import limits_for
from tests.benchmark_engine.attacks.conftest import TIGHT, Range
from tests.measured import counting
from tests.zygotes import wait_for_one

pytestmark = pytest.mark.system

VIOLATIONS = {
    "start threads without end": (
        "while True:\n  try: threading.Thread(target=time.sleep, args=(60,)).start()\n  except RuntimeError: 0",
        "more than 24 threads",
    ),
    "fill the disk with a file": ("f = open('big', 'wb')\nwhile True: f.write(bytes(1 << 20)); f.flush()", "8 MiB"),
    "fill the disk with many files": (
        "for n in range(90): open(str(n), 'wb').write(bytes(1 << 20))\ntime.sleep(60)",
        "8 MiB to the disk",
    ),
    "fill the disk with deleted files": (
        "k = []\nfor n in range(90): k.append(open('x', 'wb')); os.unlink('x'); k[-1].write(bytes(1 << 20))",
        "8 MiB to the disk",
    ),
    "reserve the disk": (
        "for n in range(90):\n  f = open(str(n), 'wb'); os.posix_fallocate(f.fileno(), 0, 8 << 20)\ntime.sleep(60)",
        "8 MiB to the disk",
    ),
    "make files without end": ("for n in range(10**9): open(str(n), 'w').close()", "more than 100 files"),
    "make links without end": ("for n in range(10**9): os.symlink('nowhere', str(n))", "more than 100 files"),
    "make folders in folders": (
        "for n in range(5_000): os.mkdir('d'); os.chdir('d')\ntime.sleep(60)",
        "more than 100 files",
    ),
    "make folders of long names in folders": (
        "d = 'd' * 250\nfor n in range(60): os.mkdir(d); os.chdir(d)\nopen('hidden', 'wb').write(bytes(1 << 20))",
        "cannot be looked into",
    ),
    "print without end": ("while True: print('x' * 4096)", "printed more than 1 MiB"),
    "print to standard error without end": ("while True: os.write(2, bytes(4096))", "printed more than 1 MiB"),
}
CRASHES = {
    "write to address 0": "ctypes.memset(0, 1, 1)",
    "jump to address 0": "ctypes.CFUNCTYPE(None)(0)()",
    "abort": "os.abort()",
    "run out of stack": "sys.setrecursionlimit(10**9); nest = []\nfor n in range(10**6): nest = [nest]\nrepr(nest)",
    "end as if all were well": "os._exit(0)",
    "leave": "sys.exit(7)",
    "raise a signal": "signal.raise_signal(signal.SIGUSR1)",
}
OVERTIME = {
    "compute": "while True: pass",
    "compute and catch what says to stop": "signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
    "compute in threads": "import hashlib\nfor _ in range(2): threading.Thread(target=lambda: "
    "[hashlib.sha256(bytes(1 << 20)) for _ in range(10**9)]).start()\ntime.sleep(60)",
}
ENDLESS = {
    "ignore all signals and loop": "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 13, 15)]\nwhile True: pass",
    "block all signals and sleep": "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); time.sleep(600)",
    "stop itself": "os.kill(os.getpid(), signal.SIGSTOP)",
    "compute without end in C": "sum(range(10**15))",
    "wait for a lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "wait for itself": "r, w = os.pipe(); os.read(r, 1)",
    "never finish to load": "while True: pass",
}


@pytest.mark.parametrize(("act", "reason"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_what_takes_too_much_is_a_sandbox_violation(
    act: str, reason: str, range_: Range, hostile: Callable[..., Path]
) -> None:
    failure = range_.failure(hostile(_in_spite_of_errors(act)))
    assert failure.failure_class is FailureClass.SANDBOX_VIOLATION
    assert reason in failure.reason


def _in_spite_of_errors(act: str) -> str:
    """The act; whatever stops it early, wait to be found out."""
    return f"try:\n  exec({act!r}, globals())\nexcept OSError: pass\ntime.sleep(60)"


def test_folders_that_cannot_be_read_hide_nothing(range_: Range, hostile: Callable[..., Path]) -> None:
    act = "os.mkdir('x', 0o300)\nfor n in range(90): open(f'x/{n}', 'wb').write(bytes(1 << 20))\ntime.sleep(60)"
    assert range_.failure(hostile(act)).failure_class is FailureClass.SANDBOX_VIOLATION


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 is of x86-64")
def test_another_kind_of_system_calls_is_a_sandbox_violation(range_: Range, hostile: Callable[..., Path]) -> None:
    with counting("atlas_sandbox_kills_total", {"reason": "system call"}):
        assert range_.failure(hostile("call(0x40000000 | 39)")).failure_class is FailureClass.SANDBOX_VIOLATION


@pytest.mark.parametrize(
    "act",
    [
        "np.ones(1 << 40)",
        "kept = []\nwhile True: kept.append(bytes(1 << 24))",
        "text = 'x'\nwhile True: text += text",
        "import mmap; kept = []\nwhile True: kept.append(mmap.mmap(-1, 1 << 28))",
    ],
)
def test_memory_is_bounded(act: str, range_: Range, hostile: Callable[..., Path]) -> None:
    failure = range_.failure(hostile(f"try:\n  exec({act!r}, globals())\nexcept OSError: raise MemoryError"))
    assert failure.failure_class is FailureClass.OUT_OF_MEMORY


def test_a_limit_that_the_bundle_itself_asked_for_is_said_to_be_its_own(
    range_: Range, hostile: Callable[..., Path]
) -> None:
    limits = limits_for(TIGHT, ModelLimits(wall_seconds=0.5), ModelLimits())
    reason = range_.failure(hostile("time.sleep(60)"), limits).reason
    assert reason == "It was not done after 0.5 s. Its bundle asks for no more than that."
    assert "bundle" not in range_.failure(hostile("print('x' * (2 << 20)); time.sleep(60)"), limits).reason


def test_memory_that_the_bundle_itself_limits_is_said_to_be_its_own(
    range_: Range, hostile: Callable[..., Path]
) -> None:
    limits = limits_for(TIGHT, ModelLimits(memory_mb=1_000), ModelLimits())
    failure = range_.failure(hostile("np.ones(1 << 40)"), limits)
    assert failure.failure_class is FailureClass.OUT_OF_MEMORY
    assert "Its bundle asks for no more than that." in failure.reason


@pytest.mark.parametrize("act", CRASHES.values(), ids=CRASHES)
def test_a_process_that_dies_is_a_crash(act: str, range_: Range, hostile: Callable[..., Path]) -> None:
    assert range_.failure(hostile(act)).failure_class is FailureClass.CRASH


@pytest.mark.parametrize("act", OVERTIME.values(), ids=OVERTIME)
def test_what_uses_up_its_cpu_time_is_ended(act: str, range_: Range, hostile: Callable[..., Path]) -> None:
    failure = range_.failure(hostile(act), TIGHT.model_copy(update={"cpu_seconds": 2, "wall_seconds": 60}))
    assert failure.failure_class is FailureClass.TIMEOUT
    assert "more than 2 s of CPU time" in failure.reason


def test_who_only_says_that_its_cpu_time_is_over_has_crashed(range_: Range, hostile: Callable[..., Path]) -> None:
    failure = range_.failure(hostile("os.kill(os.getpid(), signal.SIGXCPU)"))
    assert failure.failure_class is FailureClass.CRASH


def test_what_is_killed_from_outside_is_worth_another_try(range_: Range, hostile: Callable[..., Path]) -> None:
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(range_.failure, hostile("time.sleep(60)"))
        wait_for_one(psutil.Process()).kill()
    failure = running.result()
    assert failure.failure_class is FailureClass.LOST_WORKER
    assert failure.failure_class.retry_helps
    assert "from outside" in failure.reason


@pytest.mark.parametrize("act", ENDLESS)
def test_what_never_ends_is_ended(act: str, range_: Range, hostile: Callable[..., Path]) -> None:
    kind = "Landmine" if act == "never finish to load" else "Hostile"
    failure = range_.failure(hostile(ENDLESS[act], kind), TIGHT.model_copy(update={"wall_seconds": 0.5}))
    assert failure.failure_class is FailureClass.TIMEOUT
