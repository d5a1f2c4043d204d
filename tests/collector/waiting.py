"""Waiting for what comes from another thread or process."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(ask: Callable[[], T | None], seconds: float = 20.0) -> T:
    """The first answer that is not None."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        answer = ask()
        if answer is not None:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"nothing came in {seconds} s")
