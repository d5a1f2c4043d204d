"""Which events a model judges rightly are most like one that it judges wrongly: where its decision goes wrong."""

from dataclasses import dataclass

import numpy as np

from explainability.explained import Explained


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbour:
    """An explained event, as seen from another one.

    Attributes:
        place: its number among the explained events.
        distance: root mean square of `differences`, over the features that both events have.
        differences: (features,) its features minus the other event's, in standard deviations over all explained
            events; NaN where one of both has no number.
    """

    place: int
    distance: float
    differences: np.ndarray


def nearest_right(explained: Explained, event: int, label: str) -> Neighbour | None:
    """The event most like another one of those that truly have a label and are predicted as it.

    Args:
        explained: the events.
        event: the number of the event to look from, which is never its own neighbour.
        label: a class, or labels joined by commas.

    Returns:
        None if there is no such event with which it shares a feature.
    """
    right = (explained.truth == label) & (explained.predicted == label)
    right[event] = False
    places = np.flatnonzero(right)
    if not len(places):
        return None
    differences = _differences(explained.findings.rows, event)[places]
    distances = _root_mean_squares(differences)
    if np.isnan(distances).all():
        return None
    best = int(np.nanargmin(distances))
    return Neighbour(place=int(places[best]), distance=float(distances[best]), differences=differences[best])


def _differences(rows: np.ndarray, event: int) -> np.ndarray:
    """(n, features) what each row has more than one of them, in standard deviations; 0 where all are alike."""
    numbers = np.where(np.isfinite(rows), rows, np.nan).astype(float)
    known = np.isfinite(numbers)
    counts = np.maximum(known.sum(axis=0), 1)
    centred = numbers - np.where(known, numbers, 0).sum(axis=0) / counts
    spread = np.sqrt(np.where(known, centred**2, 0).sum(axis=0) / counts)
    return np.asarray((numbers - numbers[event]) / np.where(spread > 0, spread, 1))


def _root_mean_squares(differences: np.ndarray) -> np.ndarray:
    """(n,) over what is known of each row; NaN where nothing is."""
    known = np.isfinite(differences)
    squares = np.where(known, differences, 0) ** 2
    counts = known.sum(axis=1)
    return np.where(counts > 0, np.sqrt(squares.sum(axis=1) / np.maximum(counts, 1)), np.nan)
