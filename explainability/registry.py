"""Finding the explainers of a model: Atlas' own, and those of other packages.

A package adds one by an entry point in the group `atlas.explainers` that names an `Explainer`. It is asked before those
of Atlas.
"""

import logging
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from explainability.attribution import Explainer
from explainability.boosters import BOOSTER
from explainability.gradients import GRADIENT
from explainability.linear import LINEAR
from explainability.permutation import PERMUTATION
from explainability.trees import TREE

PLUGINS = "atlas.explainers"
"""The entry point group by which other packages add explainers: each names an `Explainer`."""
OWN: tuple[Explainer, ...] = (TREE, BOOSTER, LINEAR, PERMUTATION, GRADIENT)
"""Asked in this order: exact ones first, then what explains all that predicts; gradients where that takes too long."""

_log = logging.getLogger(__name__)


def explainers(estimator: Any) -> Iterator[Explainer]:
    """Those that accept an estimator, in the order in which they are to be asked."""
    for explainer in (*_of_plugins(), *OWN):
        if explainer.accepts(estimator):
            yield explainer


def _of_plugins() -> Iterator[Explainer]:
    """Those of other packages; one that is broken is left out, for there are others."""
    for plugin in sorted(metadata.entry_points(group=PLUGINS), key=lambda plugin: plugin.name):
        try:
            found = plugin.load()
        except Exception:  # noqa: BLE001 - process boundary: other people's package may raise anything
            _log.warning("The explainer %r (%s) cannot be loaded", plugin.name, plugin.value, exc_info=True)
            continue
        if isinstance(found, Explainer):
            yield found
        else:
            _log.warning("The explainer %r (%s) is no Explainer of Atlas", plugin.name, plugin.value)
