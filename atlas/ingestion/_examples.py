"""The documents of examples: events of a dataset version to look at."""

from datetime import datetime

from atlas.ingestion._documents import LabelValue
from atlas.vocabulary import Document


class SignalEnvelope(Document):
    """The outline of one signal: the least and the greatest value of each of at most 200 parts of the same length.

    A part is null where all its samples are missing. `rate_hz` is samples a second, if that is known.
    """

    column: str
    length: int
    rate_hz: float | None = None
    minima: tuple[float | None, ...]
    maxima: tuple[float | None, ...]


class SignalExample(Document):
    """An event of a dataset version to look at."""

    id: str
    time: datetime | None
    label: LabelValue | None
    car: str | None
    environment: str | None
    signals: tuple[SignalEnvelope, ...]


class Examples(Document):
    """A few events of each label of a dataset version, those of the most frequent label first."""

    events: tuple[SignalExample, ...]
