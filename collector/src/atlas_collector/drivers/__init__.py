"""How a sensor is read: a driver for each kind, none of which knows ROS."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar


class SensorError(Exception):
    """The sensor does not answer, with what to do; opening it again may help."""


class Driver(ABC):
    """Reads one sensor.

    Attributes:
        message: the name of what it measures in `atlas_collector.msg`.
    """

    message: ClassVar[str]

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.settings = settings

    @property
    def lost(self) -> int:
        """Samples that the sensor took and that no message has, since the driver was made."""
        return 0

    @abstractmethod
    def open(self) -> None:
        """Begins to measure.

        Raises:
            SensorError: the sensor does not answer, or is not the one that was expected.
        """

    @abstractmethod
    def read(self) -> Mapping[str, object] | None:
        """The fields of a message besides its header, of what was measured since the last time; None for nothing.

        Raises:
            SensorError: the sensor has gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends measuring, whether or not it was opened."""
