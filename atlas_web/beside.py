"""An event beside its nearest right neighbours, feature by feature: where the decision goes wrong. Pure."""

from dataclasses import dataclass

import numpy as np

from explainability.explained import Explained
from explainability.figures import words
from explainability.neighbours import Neighbour, nearest_right

MOST_FEATURES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A neighbour: its class, its id, and its distance in standard deviations."""

    label: str
    id: str
    distance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A feature: its value in the event and in each neighbour, its effect on what was predicted, and the class of the
    neighbour that it is more like; empty if it is as much like both."""

    feature: str
    own: str
    others: list[str]
    effect: str
    nearer: str
    misleads: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The neighbours, and the features that matter most for this event; `hidden` is the number of those left out.

    `about` is the class that their effects are on.
    """

    about: str
    others: list[Other]
    rows: list[Row]
    hidden: int


def beside(explained: Explained, event: int, output: int) -> Beside | None:
    """An event beside the nearest events that are rightly predicted: one of its true class, one of the predicted.

    Args:
        explained: the events.
        event: the number of the event.
        output: the number of the output by whose effects features are ranked: the predicted class's.

    Returns:
        None if there is no such event, or numbers are predicted.
    """
    if explained.findings.output == "value":
        return None
    labels = dict.fromkeys((str(explained.truth[event]), str(explained.predicted[event])))
    found = {label: near for label in labels if (near := nearest_right(explained, event, label))}
    if not found:
        return None
    effects = explained.findings.values[event, :, output]
    order = np.argsort(-np.abs(effects), kind="stable")
    rows = [_row(explained, event, int(feature), found, float(effects[feature])) for feature in order[:MOST_FEATURES]]
    others = [
        Other(label=label, id=str(explained.ids[near.place]), distance=words.number(near.distance))
        for label, near in found.items()
    ]
    about = explained.findings.outputs[output]
    return Beside(about=about, others=others, rows=rows, hidden=max(len(order) - MOST_FEATURES, 0))


def _row(explained: Explained, event: int, feature: int, found: dict[str, Neighbour], effect: float) -> Row:
    numbers = explained.findings.rows[:, feature]
    nearer = _nearer({label: abs(float(near.differences[feature])) for label, near in found.items()})
    return Row(
        feature=explained.findings.features[feature],
        own=words.number(float(numbers[event])),
        others=[words.number(float(numbers[near.place])) for near in found.values()],
        effect=words.signed(effect),
        nearer=nearer,
        misleads=bool(nearer) and nearer != explained.truth[event],
    )


def _nearer(distances: dict[str, float]) -> str:
    """The class of the nearer of two neighbours; empty if there is but one, or both are as near."""
    if len(distances) < 2 or not np.isfinite(list(distances.values())).all():
        return ""
    (one, near), (_, far) = sorted(distances.items(), key=lambda each: each[1])
    return one if near < far else ""
