"""Models on live data, as the API tells of them."""

from datetime import datetime

from atlas.api._common import Answer
from atlas.inference import Live
from atlas.states import State


class LiveTag(Answer):
    """A tag of live data that a model runs on: since when, and who said so.

    `since` is None of one that it runs on no longer; `problem` says why the ingestion engine gives no versions of it.
    """

    tag: str
    since: datetime | None
    by: str
    problem: str


class LiveRunEntry(Answer):
    """A model on one version of live data, which was made at `created`.

    `live` is what is said of its predictions, None before they are made, and `reason` why there are none.
    """

    number: int
    created: datetime
    state: State
    reason: str
    finished: datetime | None
    rows: int | None
    live: Live | None
