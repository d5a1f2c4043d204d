"""Finding the explainers of a model: Atlas' own, and those of other packages.

A package adds one by an entry point in the group `atlas.explainers` that names an `Explainer`. It is asked before those
of Atlas.
"""

from collections.abc import Iterator
from importlib import metadata
from typing import Any

from atlas.errors import ModelError
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


def explainers(estimator: Any) -> Iterator[Explainer]:
    """Those that accept an estimator, in the order in which they are to be asked.

    Raises:
        ModelError: a package that has one is broken.
    """
    for explainer in (*_of_plugins(), *OWN):
        if explainer.accepts(estimator):
            yield explainer


def _of_plugins() -> Iterator[Explainer]:
    for plugin in sorted(metadata.entry_points(group=PLUGINS), key=lambda plugin: plugin.name):
        yield _of_plugin(plugin)


def _of_plugin(plugin: metadata.EntryPoint) -> Explainer:
    try:
        found = plugin.load()
    except Exception as error:  # process boundary: other people's package may raise anything
        raise ModelError(f"The explainer {plugin.name!r} ({plugin.value}) cannot be loaded: {error}") from error
    if not isinstance(found, Explainer):
        raise ModelError(f"The explainer {plugin.name!r} ({plugin.value}) is no explainability.attribution.Explainer.")
    return found
