"""Rights that a process gives up for good, and whom it ends with."""

import errno
import os
import signal
import struct
from contextlib import suppress

from benchmark_engine.sandbox.kernel import capset, prctl

SET_PDEATHSIG, SET_DUMPABLE, CAPBSET_DROP, SET_NO_NEW_PRIVS, CAP_AMBIENT = 1, 4, 24, 38, 47
CLEAR_ALL_AMBIENT = 4
CAPABILITIES_VERSION_3 = 0x20080522
LAST_CAPABILITY = 63

FIRST_USER, USERS = 61_184, 4_336
"""The user ids that systemd keeps for services which need one for a while: no person has one of them."""


def is_root() -> bool:
    """Whether this process can become another user."""
    return os.geteuid() == 0


def user_of_its_own(shift: int = 0) -> int:
    """A user id that no other child has at the same time: from the process id.

    In a namespace, other processes of this machine may have the same id; `shift` sets each namespace apart.
    """
    return FIRST_USER + (os.getpid() + shift) % USERS


def become(user: int) -> None:
    """Become this user, with a group of the same number and no other.

    Raises:
        OSError: this process may not, or the number is not mapped in its user namespace.
    """
    if not is_root():
        raise OSError(errno.EPERM, "the engine is not root, and its children run as its own user")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    prctl(SET_DUMPABLE, 1)  # or its own /proc/self would be closed to it; no other process is of this user


def drop_capabilities() -> None:
    """Keep no capability, and no way to get one.

    Raises:
        OSError: the kernel refuses.
    """
    with suppress(OSError):  # a bounding set can only be cut by who may; the sets below are emptied all the same
        for capability in range(LAST_CAPABILITY + 1):
            prctl(CAPBSET_DROP, capability)
    prctl(CAP_AMBIENT, CLEAR_ALL_AMBIENT)
    capset(struct.pack("=Ii", CAPABILITIES_VERSION_3, 0), bytes(24))


def end_with(parent: int) -> None:
    """Be killed when the parent ends.

    Raises:
        OSError: the parent has ended already.
    """
    prctl(SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise OSError(errno.ESRCH, "the process that started it has ended")


def gain_nothing() -> None:
    """Gain no rights from now on, whatever is executed.

    Raises:
        OSError: the kernel refuses.
    """
    prctl(SET_NO_NEW_PRIVS, 1)


def seal() -> None:
    """Close this process' memory and environment to others of its user, children included.

    Where the kernel cannot, it is not Linux, and there is no /proc to close.
    """
    with suppress(OSError):
        prctl(SET_DUMPABLE, 0)
