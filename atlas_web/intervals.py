"""What pages take for a value that is more or less sure."""

from typing import Protocol


class Interval(Protocol):
    """A value and the ends of its 95 % interval: a metric, or an estimate of a class."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
