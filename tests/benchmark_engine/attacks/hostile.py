"""The code that hostile bundles carry: a classifier that runs a program where it should predict.

The programs use the modules that this one imports.
"""

import ctypes
import os
import signal  # noqa: F401
import socket  # noqa: F401
import sys  # noqa: F401
import threading  # noqa: F401
import time  # noqa: F401
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


def call(number: int, *arguments: int) -> int:
    """Make a system call by its number on x86-64."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = int(libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments)))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


class Hostile(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Runs its act, says whether it was refused, and calls everything intact."""

    classes_ = np.array(["damaged", "intact"])

    def __init__(self, act: str = "") -> None:
        self.act = act

    def predict(self, X: Any) -> np.ndarray:
        """One class for all."""
        try:
            exec(self.act, globals() | {"X": X})
        except (OSError, ValueError) as error:
            print("REFUSED", type(error).__name__, error)  # noqa: T201
        else:
            print("DONE")  # noqa: T201
        return np.array(["intact"] * len(X))


class Landmine(Hostile):
    """Runs its act when it is loaded."""

    def __reduce__(self) -> tuple[Callable[[str], Hostile], tuple[str]]:
        return exploded, (self.act,)


def exploded(act: str) -> Hostile:
    """A harmless model, after the act."""
    Hostile(act).predict([])
    return Hostile("pass")
