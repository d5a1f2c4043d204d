"""The filter of system calls: what a model needs to compute, and nothing that reaches out of its process.

An unknown call is answered with ENOSYS, as an old kernel does, so that libraries fall back. See seccomp(2).
"""

import ctypes
import errno
import os
import platform
import signal
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmark_engine.sandbox.kernel import syscall
from benchmark_engine.sandbox.syscalls import AARCH64, X86_64


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SET_MODE_FILTER = 1
X32_BIT = 0x40000000
PTHREAD_FLAGS = 0x003D0F00
"""How libraries start threads: sharing memory, files, folder and signal handlers, and nothing less."""
DETACHED = 0x00400000
"""A flag that the kernel ignores, and musl sets."""

ALLOWED = _words("""
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 close close_range lseek fsync fdatasync
    ftruncate fallocate fadvise64 readahead open openat creat access faccessat faccessat2 stat fstat lstat newfstatat
    statx statfs fstatfs readlink readlinkat getcwd chdir fchdir getdents getdents64 mkdir mkdirat rmdir unlink unlinkat
    rename renameat renameat2 link linkat symlink symlinkat umask flock dup dup2 dup3 pipe pipe2 sendfile
    copy_file_range
    mmap munmap mremap mprotect madvise brk msync mincore membarrier pkey_alloc pkey_free pkey_mprotect get_mempolicy
    mbind futex futex_waitv set_robust_list get_robust_list set_tid_address rseq arch_prctl
    sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getcpu
    getpriority
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack restart_syscall
    pause alarm setitimer getitimer timer_settime timer_gettime timer_getoverrun timer_delete
    timerfd_create timerfd_settime timerfd_gettime nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday
    time times getrusage
    getpid gettid getppid getpgrp getpgid getsid getuid geteuid getgid getegid getresuid getresgid getgroups capget
    getrlimit uname sysinfo getrandom
    poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
    sendto recvfrom shutdown wait4 waitid exit exit_group
""")
PRETENDED = _words("chmod fchmod fchmodat fchmodat2 utime utimes utimensat futimesat")
"""Landlock does not watch these, and libraries that copy files insist on them: they do nothing, and say all is well."""
UNSUPPORTED = _words("""
    setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr
    fremovexattr
""")
"""Answered as by a file system without extended attributes, which `shutil` takes well."""
PRCTL_OPTIONS = (3, 15, 16, 21, 23, 39, 0x53564D41)
"""Names of threads and of memory, and questions."""
IOCTL_REQUESTS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)
"""Whether it is a terminal, how wide, how much can be read, whether to block, whether to close."""
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032, 1033, 1034)
"""Duplicates, flags, locks, sizes of pipes and seals as a question."""
MODE_OF_OPENING = 0o3
O_TRUNC = 0o1000


@dataclass(frozen=True, slots=True)
class Check:
    """The 32 bits of an argument, masked, are one of these values; if not, the call ends with the error `otherwise`.

    With `none_of`, they must be none of these values.
    """

    argument: int
    values: tuple[int, ...]
    otherwise: int = errno.EPERM
    mask: int = 0xFFFFFFFF
    upper_half: bool = False
    none_of: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a call: its checks in order, then the verdict."""

    name: str
    verdict: int
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """What the filter has to know of a processor."""

    audit_number: int
    numbers: Mapping[str, int]
    has_x32: bool = False


MACHINES = {
    "x86_64": Machine(audit_number=0xC000003E, numbers=X86_64, has_x32=True),
    "aarch64": Machine(audit_number=0xC00000B7, numbers=AARCH64),
}

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000


def refused(error: int) -> int:
    """The verdict that a call fails with this error; with 0, that it seems to go well."""
    return 0x00050000 | error


def rules(pid: int, *, truncation_is_watched: bool) -> Iterator[Rule]:
    """What the process `pid` may call, with Landlock behind it that watches truncation or not."""
    yield from (Rule(name, ALLOW) for name in _allowed(truncation_is_watched))
    yield from _of_processes(pid)
    yield from _of_files(truncation_is_watched)
    yield from (Rule(name, refused(0)) for name in PRETENDED)
    yield from (Rule(name, refused(errno.ENOTSUP)) for name in UNSUPPORTED)
    yield Rule("socket", refused(errno.EACCES))
    yield Rule("socketpair", ALLOW, (Check(0, (1,), errno.EACCES), Check(1, (1,), errno.EACCES, mask=0xF)))


def _allowed(truncation_is_watched: bool) -> list[str]:
    by_rule = () if truncation_is_watched else ("open", "openat")
    return [name for name in ALLOWED if name not in by_rule]


def _of_processes(pid: int) -> Iterator[Rule]:
    """Threads, but no processes; signals to itself only; limits to be read, not set.

    SIGKILL is not even sent to itself, nor by a timer, so that a process which it ended was ended from outside.
    """
    yield Rule("clone", ALLOW, (Check(0, (PTHREAD_FLAGS,), mask=0xFFFFFFFF ^ DETACHED),))
    yield Rule("clone3", refused(errno.ENOSYS))
    yield from (Rule(name, refused(errno.EPERM)) for name in ("fork", "vfork", "tkill", "setrlimit"))
    yield from (Rule(name, refused(errno.EACCES)) for name in ("execve", "execveat"))
    for name, sent in (("kill", 1), ("tgkill", 2)):
        yield Rule(name, ALLOW, (Check(0, (pid,)), Check(sent, (signal.SIGKILL,), none_of=True)))
    yield Rule("timer_create", ALLOW, (Check(1, (0,)), Check(1, (0,), upper_half=True)))  # no signal of its choice
    yield Rule("sched_setaffinity", ALLOW, (Check(0, (0, pid)),))
    yield Rule("personality", ALLOW, (Check(0, (0xFFFFFFFF,)),))
    yield Rule("prctl", ALLOW, (Check(0, PRCTL_OPTIONS),))
    yield Rule("prlimit64", ALLOW, (Check(0, (0, pid)), Check(2, (0,)), Check(2, (0,), upper_half=True)))


def _of_files(truncation_is_watched: bool) -> Iterator[Rule]:
    yield Rule("ioctl", ALLOW, (Check(1, IOCTL_REQUESTS, errno.ENOTTY),))
    yield Rule("fcntl", ALLOW, (Check(1, FCNTL_COMMANDS),))
    if truncation_is_watched:
        yield Rule("truncate", ALLOW)
        return
    harmless = (0, 1, 2, 3, O_TRUNC | 1, O_TRUNC | 2, O_TRUNC | 3)
    yield Rule("truncate", refused(errno.EPERM))
    for name, flags in (("open", 1), ("openat", 2)):  # opened to read, a file can be cut off without leave to write
        yield Rule(name, ALLOW, (Check(flags, harmless, mask=O_TRUNC | MODE_OF_OPENING),))


def install(*, truncation_is_watched: bool) -> None:
    """Filter the calls of this process, which has one thread yet, from now on.

    Raises:
        OSError: the kernel cannot, or the processor is not one of `MACHINES`.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise OSError(errno.ENOSYS, f"the filter does not know processors of type {platform.machine()}")
    load(assembled(machine, rules(os.getpid(), truncation_is_watched=truncation_is_watched)), machine)


def load(program: bytes, machine: Machine) -> None:
    """Load an assembled program for this thread and all that it starts.

    Raises:
        OSError: the kernel cannot.
    """
    code = ctypes.create_string_buffer(program, len(program))
    described = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    number = machine.numbers["seccomp"]
    syscall(number, ctypes.c_uint(SET_MODE_FILTER), ctypes.c_uint(0), ctypes.byref(described))


class _Program(ctypes.Structure):
    """The kernel's `struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


LOAD, AND, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
Line = tuple[int, int, int, int]
"""An instruction: code, lines to jump if true, lines to jump if false, operand."""


def assembled(machine: Machine, wanted: Iterator[Rule], *, otherwise: int = refused(errno.ENOSYS)) -> bytes:
    """The rules as a program of the kernel's packet filter; a call that no rule names ends with `otherwise`."""
    lines: list[Line] = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_IF_EQUAL, 1, 0, machine.audit_number),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER_AT),
    ]
    if machine.has_x32:
        lines += [(JUMP_IF_AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, KILL_PROCESS)]
    for rule in wanted:
        if rule.name in machine.numbers:
            lines += _of_rule(rule, machine.numbers[rule.name])
    lines.append((RETURN, 0, 0, otherwise))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _of_rule(rule: Rule, number: int) -> list[Line]:
    body = [line for check in rule.checks for line in _of_check(check)] + [(RETURN, 0, 0, rule.verdict)]
    return [(JUMP_IF_EQUAL, 0, len(body), number), *body]


def _of_check(check: Check) -> list[Line]:
    """Each value that matches jumps behind the refusal, or to it; the last one that does not, to the other."""
    to_refusal = [(len(check.values) - place - 1, value) for place, value in enumerate(check.values)]
    if check.none_of:
        compared = [(JUMP_IF_EQUAL, lines, int(lines == 0), value) for lines, value in to_refusal]
    else:
        compared = [(JUMP_IF_EQUAL, lines + 1, 0, value) for lines, value in to_refusal]
    return [
        (LOAD, 0, 0, ARGUMENTS_AT + 8 * check.argument + 4 * check.upper_half),
        (AND, 0, 0, check.mask),
        *compared,
        (RETURN, 0, 0, refused(check.otherwise)),
    ]
