"""Some of a benchmark's events in some order: what the list of events shows, and what comes before and after one.

It is counted, ordered and cut without an event being made of what nobody sees.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from atlas_web.predicted import Predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a list. `confidence` is NaN where there is none; `error` is 0 for what is right."""

    id: str
    truth: str | float
    predicted: str | float
    confidence: float
    error: float
    is_explained: bool


KEYS: dict[str, Callable[["Selection"], np.ndarray]] = {
    "id": lambda selection: selection.of.ids,
    "truth": lambda selection: selection.of.truth,
    "predicted": lambda selection: selection.of.predicted,
    "confidence": lambda selection: selection.of.confidence,
    "error": lambda selection: selection.of.mistakes,
    "explained": lambda selection: selection.explained,
}
"""What events can be sorted by."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """Events of a benchmark.

    Attributes:
        of: all events.
        explained: (n,) whether each of all events was explained.
        places: (m,) the numbers of the chosen events, in their order.
    """

    of: Predicted
    explained: np.ndarray
    places: np.ndarray

    @classmethod
    def everything(cls, predicted: Predicted, explained: np.ndarray) -> "Selection":
        """All events, the worst first."""
        places = np.argsort(-predicted.badness, kind="stable")
        return cls(of=predicted, explained=explained, places=places)

    def where(self, chosen: np.ndarray) -> "Selection":
        """Those of the events that are chosen of all, (n,) bool."""
        return replace(self, places=self.places[chosen[self.places]])

    def none(self) -> "Selection":
        """No event at all."""
        return replace(self, places=self.places[:0])

    def narrowed(
        self, *, truth: str = "", predicted: str = "", judged: str = "", explained: str = "", q: str = ""
    ) -> "Selection":
        """Those of this truth, this prediction, `right` or `wrong`, explained, with this text in their id."""
        found, of = self, self.of
        for wanted, names in ((truth, of.truth), (predicted, of.predicted)):
            found = found.where(names == wanted) if wanted else found
        found = found.where((of.mistakes > 0) == (judged == "wrong")) if judged else found
        found = found.where(self.explained) if explained else found
        return found.where(np.array([q in name for name in of.ids], dtype=bool)) if q else found

    def sorted_by(self, key: str, *, descending: bool) -> "Selection":
        """In another order; equal ones keep theirs, and what is not known comes last in either direction."""
        values = KEYS[key](self)[self.places]
        _, ranks = np.unique(values, return_inverse=True)
        upwards = -ranks.ravel() if descending else ranks.ravel()
        if values.dtype.kind == "f":
            upwards = np.where(np.isnan(values), len(values), upwards)
        return replace(self, places=self.places[np.argsort(upwards, kind="stable")])

    def rank(self, place: int) -> int | None:
        """Where one of all events stands among the chosen ones, from 1; None if it is not chosen."""
        found = np.flatnonzero(self.places == place)
        return int(found[0]) + 1 if len(found) else None

    def around(self, place: int) -> tuple[str, str]:
        """The ids of the chosen events before and after one of all; empty where there is none."""
        rank = self.rank(place)
        if rank is None:
            return "", ""
        before = str(self.of.ids[self.places[rank - 2]]) if rank > 1 else ""
        after = str(self.of.ids[self.places[rank]]) if rank < len(self.places) else ""
        return before, after

    def event(self, place: int) -> Event:
        """One of all events."""
        return Event(
            id=str(self.of.ids[place]),
            truth=self.of.truth[place],
            predicted=self.of.predicted[place],
            confidence=float(self.of.confidence[place]),
            error=float(self.of.mistakes[place]),
            is_explained=bool(self.explained[place]),
        )

    def order_by(self, *keys: str) -> "Selection":
        """In the order of some keys, `-key` descending, the first one counts most."""
        found = self
        for key in reversed(keys):
            found = found.sorted_by(key.removeprefix("-"), descending=key.startswith("-"))
        return found

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, part: slice) -> list[Event]:
        return [self.event(place) for place in self.places[part].tolist()]
