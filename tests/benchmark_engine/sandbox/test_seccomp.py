"""The filter as a program: what it answers to a call, computed as the kernel does."""

import struct

import pytest

from benchmark_engine.sandbox import seccomp
from benchmark_engine.sandbox.seccomp import ALLOW, KILL_PROCESS, MACHINES, assembled, refused, rules

PID = 4_711
EPERM, EACCES, ENOSYS, ENOTTY = 1, 13, 38, 25
PTHREAD = 0x003D0F00


def answer(
    machine: str, call: str | int, *arguments: int, watched: bool = True, architecture: int | None = None
) -> int:
    """What the filter of a machine says to a call."""
    known = MACHINES[machine]
    number = known.numbers[call] if isinstance(call, str) else call
    said = known.audit_number if architecture is None else architecture
    given = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=IIQ6Q", number, said, 0, *(argument & (1 << 64) - 1 for argument in given))
    return _run(assembled(known, rules(PID, truncation_is_watched=watched)), data)


def _run(program: bytes, data: bytes) -> int:
    """Interpret a program of the kernel's packet filter."""
    lines = list(struct.iter_unpack("=HBBI", program))
    accumulator = place = 0
    while True:
        code, if_true, if_false, operand = lines[place]
        place += 1
        if code == seccomp.RETURN:
            return int(operand)
        if code == seccomp.LOAD:
            accumulator = struct.unpack_from("=I", data, operand)[0]
        elif code == seccomp.AND:
            accumulator &= operand
        else:
            holds = accumulator == operand if code == seccomp.JUMP_IF_EQUAL else accumulator >= operand
            place += if_true if holds else if_false


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("read", (), ALLOW),
        ("futex", (), ALLOW),
        ("exit_group", (), ALLOW),
        ("clone", (PTHREAD,), ALLOW),
        ("clone", (PTHREAD | 0x400000,), ALLOW),
        ("clone", (17,), refused(EPERM)),
        ("clone", (PTHREAD & ~0x400,), refused(EPERM)),
        ("clone", (PTHREAD | 0x10000000,), refused(EPERM)),
        ("clone3", (), refused(ENOSYS)),
        ("execve", (), refused(EACCES)),
        ("socket", (2, 1), refused(EACCES)),
        ("socketpair", (1, 1 | 0o2000000), ALLOW),
        ("socketpair", (1, 2), refused(EACCES)),
        ("socketpair", (2, 1), refused(EACCES)),
        ("kill", (PID, 15), ALLOW),
        ("kill", (PID, 9), refused(EPERM)),
        ("kill", (PID, 9 | 1 << 32), refused(EPERM)),
        ("kill", (0, 15), refused(EPERM)),
        ("kill", (-1, 15), refused(EPERM)),
        ("tgkill", (PID, PID, 15), ALLOW),
        ("tgkill", (PID, PID, 9), refused(EPERM)),
        ("tgkill", (1, 1, 15), refused(EPERM)),
        ("timer_create", (0, 0), ALLOW),
        ("timer_create", (0, 0x7FFF0000), refused(EPERM)),
        ("timer_create", (0, 1 << 32), refused(EPERM)),
        ("prlimit64", (0, 7, 0), ALLOW),
        ("prlimit64", (0, 7, 1), refused(EPERM)),
        ("prlimit64", (0, 7, 1 << 32), refused(EPERM)),
        ("prlimit64", (1, 7, 0), refused(EPERM)),
        ("prctl", (15,), ALLOW),
        ("prctl", (38,), refused(EPERM)),
        ("ioctl", (1, 0x5401), ALLOW),
        ("ioctl", (0, 0x5412), refused(ENOTTY)),
        ("fcntl", (1, 1031), refused(EPERM)),
        ("fchmod", (), refused(0)),
        ("getxattr", (), refused(95)),
        ("truncate", (), ALLOW),
        (9_999, (), refused(ENOSYS)),
    ],
)
def test_a_call_is_answered(machine: str, call: str | int, arguments: tuple[int, ...], expected: int) -> None:
    assert answer(machine, call, *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_another_processor_end_the_process(machine: str) -> None:
    assert answer(machine, "read", architecture=0x40000003) == KILL_PROCESS


def test_calls_of_x32_end_the_process() -> None:
    assert answer("x86_64", 0x40000000) == KILL_PROCESS


@pytest.mark.parametrize("machine", MACHINES)
def test_where_landlock_does_not_watch_truncation_the_filter_does(machine: str) -> None:
    read_only, write_only, truncate = 0, 1, 0o1000
    assert answer(machine, "openat", 0, 0, read_only, watched=False) == ALLOW
    assert answer(machine, "openat", 0, 0, write_only | truncate, watched=False) == ALLOW
    assert answer(machine, "openat", 0, 0, read_only | truncate, watched=False) == refused(EPERM)
    assert answer(machine, "truncate", watched=False) == refused(EPERM)
    assert answer(machine, "openat", 0, 0, read_only | truncate) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_that_is_allowed_has_a_number_on_one_machine_at_least(machine: str) -> None:
    known = {name for known in MACHINES.values() for name in known.numbers}
    assert set(seccomp.ALLOWED) <= known
    assert len(set(MACHINES[machine].numbers.values())) == len(MACHINES[machine].numbers)
