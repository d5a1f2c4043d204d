"""How often a benchmark is tried, and how long it waits in between. No Django: settings make one."""

from dataclasses import dataclass
from datetime import timedelta

LONGEST_WAIT = timedelta(minutes=10)
_MOST_DOUBLINGS = 20


def doubled(first: timedelta, attempts: int, *, longest: timedelta) -> timedelta:
    """How long to wait after so many attempts: `first` after one, twice as long after each more, `longest` at most."""
    return min(first * (1 << min(attempts - 1, _MOST_DOUBLINGS)), longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """What becomes of a benchmark that failed where another try can help.

    Attributes:
        attempts: after so many it has failed for good.
        first_wait: before the second try; twice as long before each one after it, `LONGEST_WAIT` at most.
    """

    attempts: int = 3
    first_wait: timedelta = timedelta(seconds=10)

    def wait(self, attempts: int) -> timedelta:
        """How long a benchmark waits that was tried so often."""
        return doubled(self.first_wait, attempts, longest=LONGEST_WAIT)


RETRIES = Retries()
"""Those of an engine whose settings say nothing else."""
