"""A signal stops an engine whenever it comes."""

import signal
from collections.abc import Iterator

import pytest

from benchmark_engine.stopping import stopped_by_signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Puts back what signals did before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_interrupts_the_wait_itself_is_heard(number: signal.Signals) -> None:
    stopped = stopped_by_signals()
    with stopped._cond:  # type: ignore[attr-defined]  # as the event's own wait holds it
        signal.raise_signal(number)
    assert stopped.wait(60)
