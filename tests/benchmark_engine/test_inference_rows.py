"""Which events of a dataset version are predicted."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from atlas.datasets import write_arrow
from atlas.errors import DatasetError
from benchmark_engine.inference_rows import Rows, VersionRows, of_version
from tests.benchmark_engine.conftest import impacts
from tests.samples import NOON, description, manifest

HOURS = [NOON + timedelta(hours=number) for number in range(6)]
Find = Callable[[pa.Table, pa.Table], Rows]


@pytest.fixture
def unseen(tmp_path: Path) -> Find:
    """The events that a model trained at the third of the hours cannot have been trained on."""

    def find(training: pa.Table, evaluation: pa.Table) -> Rows:
        files = (tmp_path / "training.arrow", tmp_path / "evaluation.arrow")
        for path, table in zip(files, (training, evaluation), strict=True):
            write_arrow(table, path)
        wanted = VersionRows(dataset=description(), unseen_since=HOURS[2])
        return of_version(wanted, files, manifest(), None, tmp_path)

    return find


def splits(times: pa.Array | None) -> tuple[pa.Table, pa.Table]:
    """Six events of the training split, then six of the evaluation split."""
    table = impacts(12)
    if times is not None:
        table = table.append_column("time", pa.chunked_array([times, times]))
    return table.slice(0, 6), table.slice(6)


@pytest.mark.parametrize("zone", ["UTC", None])
def test_of_what_a_model_may_have_been_trained_on_only_later_events_are_predicted(
    unseen: Find, zone: str | None
) -> None:
    times = pa.array([hour.replace(tzinfo=None) for hour in HOURS], pa.timestamp("us")).cast(
        pa.timestamp("us", tz=zone)
    )
    found = unseen(*splits(times))
    assert list(found.ids) == [f"r/{number:04}" for number in (3, 4, 5, 6, 7, 8, 9, 10, 11)]
    assert found.warnings == ()


@pytest.mark.parametrize("times", [None, pa.array(["yesterday"] * 6), pa.array([None] * 6, pa.timestamp("us"))])
def test_events_without_a_time_may_have_been_trained_on(unseen: Find, times: pa.Array | None) -> None:
    assert list(unseen(*splits(times)).ids) == [f"r/{number:04}" for number in range(6, 12)]


def test_a_version_that_the_model_was_trained_on_throughout_is_said_to_be_one(unseen: Find) -> None:
    training, evaluation = splits(None)
    with pytest.raises(DatasetError, match="no events that the model was not trained on"):
        unseen(training, evaluation.slice(0, 0))
