"""The part of the REST client that speaks of models on live data."""

from collections.abc import Iterator
from urllib.parse import quote

from atlas.api import LiveRunEntry, LiveTag
from atlas.connection import Connection
from atlas.paging import all_of
from atlas.prediction_calls import model_path


class LiveCalls:
    """What a client may ask and say of live data. Its methods raise what those of `atlas.client.AtlasClient` do."""

    _connection: Connection

    def live_tags(self, model: str | int) -> Iterator[LiveTag]:
        """The tags that a model runs on live, then those that it ran on."""
        return all_of(self._connection, LiveTag, _live(model))

    def live_runs(self, model: str | int, tag: str) -> Iterator[LiveRunEntry]:
        """A model on the newest versions of a tag of live data, the oldest first."""
        return all_of(self._connection, LiveRunEntry, f"{_live(model)}/{quote(tag, safe='')}")

    def watch_live(self, model: str | int, tag: str) -> LiveTag:
        """Have a model run on the newest version of a tag and on each that comes."""
        return self._connection.ask(LiveTag, "PUT", f"{_live(model)}/{quote(tag, safe='')}")

    def unwatch_live(self, model: str | int, tag: str) -> None:
        """Run a model no longer on a tag. What it predicted stays."""
        self._connection.request("DELETE", f"{_live(model)}/{quote(tag, safe='')}")


def _live(model: str | int) -> str:
    return f"{model_path(model)}/live"
