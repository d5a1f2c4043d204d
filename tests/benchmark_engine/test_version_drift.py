"""The engine compares each dataset version with those before it, one by one, whatever gets in its way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from atlas.datasets import DatasetDescription, Split
from atlas.drift import TableDrift
from atlas.errors import DatasetError, IngestionUnavailableError
from benchmark_engine import version_drift
from benchmark_engine.connector import Connector
from benchmark_engine.version_drift import AGAIN_AFTER, measure_versions
from storage import records
from storage.models import DatasetVersion, LogEntry, VersionDrift
from storage.records import MeasuredDrift
from tests.benchmark_engine.conftest import DictionaryIngestion, at
from tests.monitoring import streams
from tests.samples import NOON, description

pytestmark = pytest.mark.django_db

VERSIONS = 9


def changing() -> list[pa.Table]:
    """Nine versions: at the sixth the gas sensor is replaced, at the ninth the label `pothole` is twice as frequent."""
    stream = streams.changing(np.random.default_rng(0))
    return [as_events(table) for _, table in islice(stream, VERSIONS)]


def as_events(table: pa.Table) -> pa.Table:
    """With what every event has: an id, the recording, and a signal."""
    ids = [f"{number:04}" for number in range(table.num_rows)]
    extra = {"id": ids, "recording": ids, "sound": [[0.0, 1.0]] * table.num_rows}
    return pa.table({name: table[name] for name in table.column_names if name != "prediction"} | extra)


def known(ingestion: DictionaryIngestion, tables: list[pa.Table], tag: str = "impacts") -> None:
    """The versions are known, none of them is fetched."""
    ingestion.tables[tag] = tables
    for version in ingestion.tag(tag).versions:
        records.record_version(with_own_file(ingestion.dataset(version.query_id)))


def with_own_file(described: DatasetDescription) -> DatasetDescription:
    """The evaluation rows of each version are a file of their own in the cache."""
    file = described.splits[Split.EVALUATION].model_copy(update={"rows": described.rows, "sha256": described.digest})
    return described.model_copy(update={"splits": {**described.splits, Split.EVALUATION: file}})


def documents(field: str) -> dict[int, TableDrift]:
    """What is kept of each version, by its number."""
    found = VersionDrift.objects.filter(**{f"{field}__isnull": False}).values_list("version__number", field)
    return {number: TableDrift.model_validate(document) for number, document in found}


def moved(drift: TableDrift) -> set[str]:
    labels = [drift.labels] if drift.labels else []
    return {column.name for column in (*drift.columns, *labels) if column.has_moved}


def test_a_known_change_is_found_at_its_version(connector: Connector, ingestion: DictionaryIngestion) -> None:
    known(ingestion, changing())
    assert measure_versions(connector) == VERSIONS
    assert {number: found for number, drift in documents("from_previous").items() if (found := moved(drift))} == {
        streams.REPLACED: {"gas.temperature"},
        streams.DOUBLED: {"label"},
    }
    since_first = {number: moved(drift) for number, drift in documents("from_first").items()}
    assert since_first[streams.REPLACED - 1] == set()
    assert since_first[streams.DOUBLED] == {"gas.temperature", "label"}
    assert measure_versions(connector) == 0


def test_what_is_kept_says_what_was_compared(connector: Connector, ingestion: DictionaryIngestion) -> None:
    known(ingestion, changing()[:3])
    measure_versions(connector)
    previous, first = documents("from_previous")[3], documents("from_first")[3]
    assert (previous.compared_with, previous.version, first.compared_with, first.version) == ("previous", 2, "first", 1)
    assert (previous.rows_before, previous.rows_now) == (streams.ROWS, streams.ROWS)
    assert previous.labels is not None and previous.labels.name == "label"
    assert {column.name for column in previous.columns} >= {"car", "gas.temperature", "is_raining"}
    assert not {"id", "recording", "sound", "label"} & {column.name for column in previous.columns}
    kept = VersionDrift.objects.get(version__number=3)
    assert (kept.share_moved, kept.farthest) == (previous.share_moved, previous.farthest)
    alone = VersionDrift.objects.get(version__number=1)
    assert (alone.from_previous, alone.from_first, alone.share_moved, alone.problem) == (None, None, None, "")


def test_of_a_large_version_a_sample_is_compared_always_the_same(
    connector: Connector, ingestion: DictionaryIngestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_drift, "SAMPLE_ROWS", 100)
    known(ingestion, changing()[:2])
    measure_versions(connector)
    (once,) = documents("from_previous").values()
    VersionDrift.objects.all().delete()
    measure_versions(connector)
    assert list(documents("from_previous").values()) == [once]
    assert (once.rows_before, once.rows_now) == (100, 100)


def test_the_newest_activity_comes_first_and_versions_without_rows_are_passed_over(
    connector: Connector, ingestion: DictionaryIngestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = changing()[:3]
    known(ingestion, [first, second.slice(0, 0), third])
    known(ingestion, [first], tag="winter")
    DatasetVersion.objects.filter(tag__name="winter").update(created=NOON + timedelta(days=1))
    monkeypatch.setattr(version_drift, "AT_ONCE", 1)
    order = []
    while measure_versions(connector):
        order.append(str(VersionDrift.objects.latest("pk").version))
    assert order == ["winter v1", "impacts v1", "impacts v2", "impacts v3"]
    assert VersionDrift.objects.get(version__number=2).problem == "The version has no evaluation rows."
    assert documents("from_previous")[3].version == 1


def test_what_cannot_be_fetched_is_tried_again_when_its_time_has_come(
    connector: Connector, ingestion: DictionaryIngestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(ingestion, changing()[:3])
    with monkeypatch.context() as broken:
        broken.setattr(ingestion, "download", refusing(IngestionUnavailableError("It does not answer.")))
        assert measure_versions(connector) == 2, "the first needs no rows; the third would wait for nothing too"
    waiting = VersionDrift.objects.get(version__number=2)
    assert (waiting.problem, waiting.again) == ("It does not answer.", NOON + AGAIN_AFTER)
    assert measure_versions(connector) == 1
    assert set(documents("from_previous")) == {3}
    assert measure_versions(replace(connector, clock=at(NOON + AGAIN_AFTER))) == 1
    measured = VersionDrift.objects.get(version__number=2)
    assert (measured.problem, measured.again) == ("", None)
    assert set(documents("from_previous")) == {2, 3}


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (DatasetError("The file is not what was promised."), "The file is not what was promised."),
        (TypeError("rows of stone"), "The rows could not be compared: rows of stone"),
    ],
)
def test_what_can_never_be_compared_is_said_once_and_does_not_keep_the_others(
    connector: Connector,
    ingestion: DictionaryIngestion,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    problem: str,
) -> None:
    known(ingestion, changing()[:4])
    working = ingestion.download

    def download(dataset: DatasetDescription, split: Split, destination: Path) -> None:
        if dataset.number == 2:
            raise error
        working(dataset, split, destination)

    monkeypatch.setattr(ingestion, "download", download)
    assert measure_versions(connector) == 4
    assert {row.version.number: row.problem for row in VersionDrift.objects.exclude(problem="")} == {
        2: problem,
        3: problem,
    }
    assert set(documents("from_previous")) == {4}
    assert LogEntry.objects.filter(message=f"The drift of impacts v2 is not known: {problem}").count() == 1
    assert measure_versions(connector) == 0


def test_without_the_first_version_there_is_still_the_drift_from_the_one_before(
    connector: Connector, ingestion: DictionaryIngestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(ingestion, changing()[:3])
    measure_versions(connector)
    VersionDrift.objects.filter(version__number=3).delete()
    monkeypatch.setattr(version_drift, "_rows", without_the_first(version_drift._rows))
    measure_versions(connector)
    kept = VersionDrift.objects.get(version__number=3)
    assert (kept.from_first, kept.problem) == (None, "v1 cannot be compared with: It is gone.")
    assert set(documents("from_previous")) == {2, 3}


def test_of_two_engines_the_first_wins() -> None:
    version = records.record_version(description()).pk
    assert records.record_version_drift(version, MeasuredDrift(problem="from one"), now=NOON)
    assert not records.record_version_drift(version, MeasuredDrift(problem="from the other"), now=NOON)
    assert VersionDrift.objects.get().problem == "from one"


def refusing(error: Exception) -> Callable[..., None]:
    """A download that does not work."""

    def download(*_: object) -> None:
        raise error

    return download


def without_the_first(rows: Callable[..., pa.Table]) -> Callable[..., pa.Table]:
    """Reads rows as `rows` does, but for the first version."""

    def read(connector: Connector, dataset: DatasetDescription) -> pa.Table:
        if dataset.number == 1:
            raise DatasetError("It is gone.")
        return rows(connector, dataset)

    return read
