"""Kills parts of a site at random."""

import time
from collections.abc import Mapping

from tests.e2e.chaos.site import Site, Victim
from tests.e2e.chaos.workload import Workload

LONGEST_WAIT_SECONDS = 0.3
LONGEST_SEARCH_SECONDS = 10.0
"""If there is no victim of one kind for so long, as all models are done, a zygote is killed in its place."""


class Monkey:
    """Kills what `victims` counts, in an order and at moments that the site's chance decides."""

    def __init__(self, site: Site, victims: Mapping[Victim, int]) -> None:
        self._site = site
        self._victims = victims

    def rampage(self, workload: Workload) -> None:
        """Kill all of them, each a moment after the one before, and send one more model before each.

        So there is always something that runs, however fast the machine is.
        """
        order = [victim for victim, number in self._victims.items() for _ in range(number)]
        assert len(order) == workload.models
        self._site.chance.shuffle(order)
        for model, victim in enumerate(order):
            self._strike(victim, workload, model)

    def _strike(self, victim: Victim, workload: Workload, model: int) -> None:
        site = self._site
        site.pause(site.chance.uniform(0, LONGEST_WAIT_SECONDS))
        site.wait_for(lambda: workload.send_model(model), "the object store to take a model")
        enough = time.monotonic() + LONGEST_SEARCH_SECONDS
        site.wait_for(
            lambda: site.strike(victim) or (time.monotonic() > enough and site.strike(Victim.ZYGOTE)),
            f"a {victim} to kill",
        )
