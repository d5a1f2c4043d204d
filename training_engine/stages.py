"""How far a training is."""

from collections.abc import Callable
from enum import StrEnum


class Stage(StrEnum):
    """What is being done."""

    DOWNLOADING = "downloading"
    SEARCH = "search"
    FEATURES = "features"
    FITTING = "fitting"
    WRITING = "writing"
    PUSHING = "pushing"


Progress = Callable[[Stage, int, int], None]
"""Is told the stage, and how many of how many bytes or trials are done; 0 of 0 where nobody can tell."""


def silent(_stage: Stage, _done: int, _total: int) -> None:
    """Tell nobody."""
