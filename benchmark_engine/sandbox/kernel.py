"""The doors to the kernel that Python does not open itself, such as `prctl` and system calls by their number."""

import ctypes
import errno
import os
import sys

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, *arguments: int) -> None:
    """Ask something of this process' kernel side.

    Raises:
        OSError: the kernel refuses, or is not Linux.
    """
    _only_on_linux()
    words = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc.prctl(ctypes.c_int(option), *words) < 0:
        raise _refusal()


def syscall(number: int, *arguments: object) -> int:
    """Make a system call; whoever calls it gives each argument its C type.

    Raises:
        OSError: the kernel refuses, does not know the call, or is not Linux.
    """
    _only_on_linux()
    _libc.syscall.restype = ctypes.c_long
    answer = _libc.syscall(ctypes.c_long(number), *arguments)
    if answer < 0:
        raise _refusal()
    return int(answer)


def capset(header: bytes, sets: bytes) -> None:
    """Set this thread's capabilities.

    Raises:
        OSError: the kernel refuses, or is not Linux.
    """
    _only_on_linux()
    if _libc.capset(header, sets) < 0:
        raise _refusal()


def madvise(address: int, size_bytes: int, advice: int) -> None:
    """Say how some of this process' own memory is used.

    Raises:
        OSError: the kernel refuses, or is not Linux.
    """
    _only_on_linux()
    if _libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(size_bytes), ctypes.c_int(advice)) < 0:
        raise _refusal()


def _only_on_linux() -> None:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "this is not Linux")


def _refusal() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
