"""Tables of samples become channels."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bags
from bags import Signals
from bags.signals import NANOSECONDS

START = 1_700_000_000 * NANOSECONDS


def read_csv(folder: Path, text: str) -> Signals:
    (folder / "a.csv").write_text(text)
    return bags.read(folder / "a.csv", folder)


def read_parquet(folder: Path, **columns: object) -> Signals:
    pq.write_table(pa.table(columns), folder / "a.parquet")
    return bags.read(folder / "a.parquet", folder)


def test_each_column_of_numbers_becomes_a_channel(tmp_path: Path) -> None:
    signals = read_csv(tmp_path, "time,a,place,b\n0,1,front,2.5\n0.5,3,rear,\n2,5,rear,1e3\n")
    assert [channel.name for channel in signals.channels] == ["a", "b"]
    assert signals.channels[0].values.tolist() == [1.0, 3.0, 5.0]
    assert np.isnan(signals.channels[1].values[1])
    assert signals.channels[0].times is not None
    assert signals.channels[0].times.tolist() == [0, NANOSECONDS // 2, 2 * NANOSECONDS]
    assert (signals.is_dated, signals.losses, signals.duration_seconds) == (False, (), 2.0)


@pytest.mark.parametrize(
    "time",
    [
        *("2023-11-14T22:13:20Z", "2023-11-14 22:13:20.000000", "2023-11-14T23:13:20+01:00", "1700000000"),
        *("1700000000.000000000", "1.7e9"),
    ],
)
def test_times_are_dates_or_seconds(tmp_path: Path, time: str) -> None:
    signals = read_csv(tmp_path, f"time;a\n{time};1\n")
    assert (signals.start_ns, signals.is_dated) == (START, True)


def test_seconds_keep_their_nanoseconds(tmp_path: Path) -> None:
    assert read_csv(tmp_path, "time,a\n1700000000.123456789,1\n").start_ns == START + 123_456_789


def test_rows_are_put_in_the_order_of_their_times(tmp_path: Path) -> None:
    signals = read_csv(tmp_path, "a\ttime\n3\t3\n1\t1\n2\t2\n")
    assert signals.channels[0].values.tolist() == [1.0, 2.0, 3.0]


def test_half_a_last_line_is_left_out(tmp_path: Path) -> None:
    signals = read_csv(tmp_path, "time,a,b\n0,1,1\n1,2,2\n2,3")
    assert signals.channels[0].values.tolist() == [1.0, 2.0]
    assert signals.losses == ("The last line of the table was not written to its end and was left out.",)


def test_a_whole_last_line_needs_no_end(tmp_path: Path) -> None:
    signals = read_csv(tmp_path, "time,a\n0,1\n1,2")
    assert signals.channels[0].values.tolist() == [1.0, 2.0]
    assert signals.losses == ()


def test_cells_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    signals = read_csv(tmp_path, "time,a\n0,1\nnoon,2\n2,much\n3,4\n")
    assert signals.channels[0].values.tolist()[::2] == [1.0, 4.0]
    assert signals.losses == (
        "1 rows have no time that can be read and were left out.",
        "1 values of column 'a' are no numbers.",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zeit,a\n0,1\n", "no column 'time'.*its columns are 'zeit', 'a'"),
        ("time,a,a\n0,1,1\n", "same name"),
        ("time,place\n0,front\n", "no column of the table but 'time' holds numbers"),
        ("no recording at all", "neither a bag, sound, Parquet nor a table"),
        ("", "the file is empty"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(bags.UnreadableError, match=message):
        read_csv(tmp_path, text)


@pytest.mark.parametrize(
    "times", [[datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)], [1.7e9], [1_700_000_000], ["2023-11-14T22:13:20"]]
)
def test_a_parquet_table_is_read_the_same(tmp_path: Path, times: list[object]) -> None:
    signals = read_parquet(tmp_path, time=times, a=[2], place=["front"])
    assert [channel.values.tolist() for channel in signals.channels] == [[2.0]]
    assert (signals.start_ns, signals.is_dated) == (START, True)


def test_missing_numbers_of_a_parquet_table_are_no_loss(tmp_path: Path) -> None:
    signals = read_parquet(tmp_path, time=[0, 1, 2], a=[1, None, 3], on=[True, False, True])
    assert np.isnan(signals.channels[0].values[1])
    assert signals.channels[1].values.tolist() == [1.0, 0.0, 1.0]
    assert signals.losses == ()


def test_a_parquet_file_that_is_cut_off_says_what_to_do(tmp_path: Path) -> None:
    read_parquet(tmp_path, time=[0, 1], a=[1, 2])
    path = tmp_path / "a.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(bags.UnreadableError, match="copy it again"):
        bags.read(path, tmp_path)
