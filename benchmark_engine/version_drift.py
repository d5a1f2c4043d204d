"""How far each dataset version has moved from those before it, whatever the model."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from atlas.datasets import DatasetDescription, Split, read_arrow
from atlas.drift import TableDrift
from atlas.errors import AtlasError
from atlas.states import Level
from benchmark_engine.connector import Connector
from benchmark_engine.executors import give_memory_back
from benchmark_engine.worker import data_entry
from monitoring.documents import table_drift
from monitoring.history import history
from monitoring.tables import scalars_of
from storage import drifting, records
from storage.drifting import Unmeasured
from storage.records import MeasuredDrift

AT_ONCE = 10
"""So many versions are measured before the engine may stop, or look at something else."""
AGAIN_AFTER = timedelta(minutes=10)
SAMPLE_ROWS = 200_000
"""Of a larger version so many rows are compared, drawn by chance: that shows far smaller shifts than matter."""
RUNNING = frozenset({"id", "time", "recording"})
"""Columns that other events have other values of: that they move says nothing."""

logger = logging.getLogger(__name__)


def measure_versions(connector: Connector) -> int:
    """Compare versions with those before, as long as there are any that were not, and at most `AT_ONCE`; how many.

    What cannot be compared is kept with the reason, and tried again later where that may help.
    """
    for done in range(AT_ONCE):
        wanted = drifting.next_unmeasured(connector.clock())
        if wanted is None:
            return done
        measured = _measured(connector, wanted)
        is_news = records.record_version_drift(wanted.version.pk, measured, now=connector.clock())
        give_memory_back()
        if measured.again:  # what does not answer now would keep the next ones waiting too
            return done + 1
        if is_news and measured.problem:
            _complain(connector, wanted.version.description, measured.problem)
    return AT_ONCE


def _complain(connector: Connector, version: DatasetDescription, problem: str) -> None:
    message = f"The drift of {version.tag} v{version.number} is not known: {problem}"
    connector.log(message, level=Level.WARNING)


def _measured(connector: Connector, wanted: Unmeasured) -> MeasuredDrift:
    """The drift of a version. Whatever its rows hold, it must not keep other versions from being measured."""
    try:
        return _compared(connector, wanted)
    except AtlasError as error:
        again = connector.clock() + AGAIN_AFTER if error.retry_helps else None
        return MeasuredDrift(problem=str(error), again=again)
    except Exception as error:  # process boundary: the rows come from another engine
        logger.exception("The drift of version %s could not be measured", wanted.version.pk)
        return MeasuredDrift(problem=f"The rows could not be compared: {error}")


def _compared(connector: Connector, wanted: Unmeasured) -> MeasuredDrift:
    if wanted.previous is None or wanted.first is None:
        return MeasuredDrift()
    version, previous, first = (each.description for each in (wanted.version, wanted.previous, wanted.first))
    if not version.splits[Split.EVALUATION].rows:
        return MeasuredDrift(problem="The version has no evaluation rows.")
    now = _rows(connector, version)
    since = _drift(connector, previous, "previous", version, now)
    if first == previous:
        return MeasuredDrift(from_first=since.model_copy(update={"compared_with": "first"}), from_previous=since)
    try:
        return MeasuredDrift(from_first=_drift(connector, first, "first", version, now), from_previous=since)
    except AtlasError as error:
        if error.retry_helps:
            raise
        return MeasuredDrift(from_previous=since, problem=f"v{first.number} cannot be compared with: {error}")


def _drift(
    connector: Connector,
    earlier: DatasetDescription,
    compared_with: Literal["first", "previous"],
    version: DatasetDescription,
    now: pa.Table,
) -> TableDrift:
    before = _rows(connector, earlier)
    (found,) = history(before, [(f"v{version.number}", now)])
    return table_drift(
        found.from_reference,
        compared_with=compared_with,
        version=earlier.number,
        rows_before=before.num_rows,
        rows_now=now.num_rows,
        label=version.target,
    )


def _rows(connector: Connector, dataset: DatasetDescription) -> pa.Table:
    """What is compared of a version: its scalar columns, and of many evaluation rows a sample, always the same.

    The rows stay mapped into memory, also if the cache removes their file.
    """

    def fetch(path: Path) -> None:
        connector.ingestion.download(dataset, Split.EVALUATION, path)

    with connector.cache.entry(data_entry(dataset), fetch) as path:
        table = read_arrow(path)
    names = scalars_of(table, [name for name in table.column_names if name not in RUNNING])
    return _sample(table.select(names))


def _sample(table: pa.Table) -> pa.Table:
    if table.num_rows <= SAMPLE_ROWS:
        return table
    is_drawn = np.zeros(table.num_rows, np.bool_)
    is_drawn[np.random.default_rng(0).choice(table.num_rows, SAMPLE_ROWS, replace=False)] = True
    return table.filter(pa.array(is_drawn))
