"""Times that are taken in turns, and what they say of each other."""

import statistics
from collections.abc import Mapping


class Rounds(dict[str, list[float]]):
    """Seconds of each contestant, one for each round. In a round all work one after the other, A B A B …: what slows
    the machine down for a while slows down all of them, and leaves their ratios."""

    def add(self, seconds: Mapping[str, float]) -> None:
        """One more round."""
        for name, value in seconds.items():
            self.setdefault(name, []).append(value)

    def ratio(self, of: str, to: str) -> float:
        """How many times as long the first takes as the second: the median over the rounds."""
        return statistics.median(mine / theirs for mine, theirs in zip(self[of], self[to], strict=True))

    def medians(self) -> dict[str, float]:
        """The median of each contestant, under its name and the unit, such as `two_bare_seconds`."""
        return {f"{name.replace(' ', '_')}_seconds": statistics.median(values) for name, values in self.items()}
