"""Landlock: files that this process, and all that it becomes, may open. See landlock(7)."""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from enum import IntFlag

from benchmark_engine.sandbox.kernel import syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1
TCP_BIND_AND_CONNECT = 3
ABSTRACT_SOCKETS_AND_SIGNALS = 3
TCP_SINCE, SCOPES_SINCE, TRUNCATE_SINCE = 4, 6, 3
"""The versions of Landlock that first know of TCP, of scopes, and of truncation."""


class Access(IntFlag):
    """What can be done with a file or below a folder."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


ADDED_SINCE = {Access.REFER: 2, Access.TRUNCATE: 3, Access.IOCTL_DEV: 5}
ON_FILES = Access.READ_FILE | Access.WRITE_FILE | Access.TRUNCATE
READ = Access.READ_FILE | Access.READ_DIR
WRITE = (
    READ
    | Access.WRITE_FILE
    | Access.REMOVE_DIR
    | Access.REMOVE_FILE
    | Access.MAKE_DIR
    | Access.MAKE_REG
    | Access.MAKE_SYM
    | Access.REFER
    | Access.TRUNCATE
)


def version() -> int:
    """The kernel's version of Landlock; 0 where there is none, or where it is not switched on."""
    try:
        return syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(CREATE_RULESET_VERSION))
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Allow this thread these files and folders only, no TCP, and signals and abstract sockets among its like only.

    Paths to read that do not exist are left out.

    Raises:
        OSError: there is no Landlock, or one of the paths to write does not exist.
    """
    known = version()
    handled = _all_that_is_known(known)
    ruleset = _create(handled, known)
    try:
        for path in readable:
            with suppress(FileNotFoundError, PermissionError):
                _allow(ruleset, path, READ & handled)
        for path in writable:
            _allow(ruleset, path, WRITE & handled)
        syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)


def _all_that_is_known(known: int) -> Access:
    return Access(sum(access for access in Access if ADDED_SINCE.get(access, 1) <= known))


def _create(handled: Access, known: int) -> int:
    words = [handled.value]
    if known >= TCP_SINCE:
        words.append(TCP_BIND_AND_CONNECT)
    if known >= SCOPES_SINCE:
        words.append(ABSTRACT_SOCKETS_AND_SIGNALS)
    attributes = struct.pack(f"={len(words)}Q", *words)
    return syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))


def _allow(ruleset: int, path: str, access: Access) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = access if stat.S_ISDIR(os.fstat(opened).st_mode) else access & ON_FILES
        rule = struct.pack("=Qi", allowed, opened)
        syscall(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(RULE_PATH_BENEATH), rule, ctypes.c_uint(0))
    finally:
        os.close(opened)
