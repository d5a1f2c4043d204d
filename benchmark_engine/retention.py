"""Removing what the settings do not have kept any longer, once a day."""

from benchmark_engine.connector import Connector
from storage import records
from storage.retention import RetentionSettings, of_the_engine


def remove_old(connector: Connector, settings: RetentionSettings) -> None:
    """Remove what is old, and say so on the log page. Objects that no row refers to then are removed by the sweep."""
    now = connector.clock()
    records.log_removed(records.remove_old(of_the_engine(settings), now), now)
