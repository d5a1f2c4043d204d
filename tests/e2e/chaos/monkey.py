"""Kills parts of a site at random."""

from collections.abc import Mapping

from tests.e2e.chaos.site import Site, Victim

LONGEST_WAIT_SECONDS = 0.3


class Monkey:
    """Kills what `victims` counts, in an order and at moments that the site's chance decides."""

    def __init__(self, site: Site, victims: Mapping[Victim, int]) -> None:
        self._site = site
        self._victims = victims

    def rampage(self, first: int, last: int) -> None:
        """Kill all of them between the `first` and the `last` benchmark that is done.

        Each kill waits for a number of benchmarks to be done, and a moment more: some come one upon the other.
        """
        order = [victim for victim, number in self._victims.items() for _ in range(number)]
        self._site.chance.shuffle(order)
        moments = sorted(self._site.chance.randrange(first, last) for _ in order)
        for victim, moment in zip(order, moments, strict=True):
            self._strike(victim, moment)

    def _strike(self, victim: Victim, moment: int) -> None:
        site = self._site
        site.wait_for(lambda: site.done() >= moment, f"{moment} benchmarks")
        site.pause(site.chance.uniform(0, LONGEST_WAIT_SECONDS))
        site.wait_for(lambda: site.strike(victim), f"a {victim} to kill")
