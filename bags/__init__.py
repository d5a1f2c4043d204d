"""Recordings as files: ROS bags, sound and tables of samples, read without ROS; of damaged ones, what can be saved."""

from bags.reading import read
from bags.signals import Channel, Signals, UnreadableError

__all__ = ["Channel", "Signals", "UnreadableError", "read"]
