"""What is measured as documents: all that charts are drawn from, within bounds whatever the data holds."""

import sys

import numpy as np
import pyarrow as pa

from atlas.drift import MOST_BINS, TableDrift
from monitoring.documents import MOST_BIN_NAME, MOST_NAME, table_drift
from monitoring.history import history
from tests.monitoring import streams


def drift_of(before: pa.Table, now: pa.Table, *, label: str = "", prediction: str = "") -> TableDrift:
    """As it comes back from JSON."""
    [found] = history(before, [("now", now)])
    told = table_drift(
        found.from_reference,
        compared_with="reference",
        rows_before=before.num_rows,
        rows_now=now.num_rows,
        label=label,
        prediction=prediction,
    )
    return TableDrift.model_validate_json(told.model_dump_json())


def test_labels_and_predictions_stand_beside_the_columns_and_are_corrected_with_them() -> None:
    random = np.random.default_rng(2)
    before, *_, last = streams.drawn(random, 400), *list(streams.changing(random))[: streams.REPLACED]
    told, all_alike = drift_of(before, last[1], label="label", prediction="prediction"), drift_of(before, last[1])
    assert (told.rows_before, told.rows_now, told.gone, told.new) == (400, 500, (), ())
    assert told.labels and told.predictions
    assert [column.name for column in (told.labels, told.predictions)] == ["label", "prediction"]
    assert {column.name: column.adjusted_p for column in (*told.columns, told.labels, told.predictions)} == {
        column.name: column.adjusted_p for column in all_alike.columns
    }
    assert told.share_moved == 1 / 8
    temperature = told.columns[0]
    assert temperature.name == "gas.temperature"
    assert told.farthest == temperature.jensen_shannon
    assert (sum(temperature.distribution.before), sum(temperature.distribution.now)) == (400, 500)


def test_a_label_that_only_one_table_has_is_neither_gone_nor_new() -> None:
    before, now = pa.table({"x": [1.0], "y": [1], "": [1]}), pa.table({"x": [1.0], "guess": [1], "": [1]})
    told = drift_of(before, now, label="y", prediction="guess")
    assert (told.gone, told.new, told.labels, told.predictions) == ((), (), None, None)
    plain = drift_of(before, now)
    assert (plain.gone, plain.new) == (("y",), ("guess",))
    assert {column.name for column in plain.columns} == {"x", ""}


def test_odd_data_gives_a_document_all_the_same() -> None:
    long = "n" * 2_000
    before = pa.table(
        {
            long: ["a\0b", "c" * 5_000] * 60,
            "tiny": [0.0, 1e-160] * 60,
            "many": [f"{number} {long}" for number in range(120)],
            "nothing": pa.nulls(120),
        }
    )
    now = before.slice(0, 60).set_column(1, "tiny", pa.array([1e308, float("inf")] * 30))
    found = {column.name: column for column in drift_of(before, now).columns}
    assert found["tiny"].wasserstein is not None
    assert found["tiny"].wasserstein == sys.float_info.max
    assert set(found) == {f"{long[: MOST_NAME - 1]}…", "tiny", "many", "nothing"}
    names = [name for column in found.values() for name in column.distribution.bins]
    assert max(map(len, names)) == MOST_BIN_NAME
    assert "a b" in names
    assert max(len(column.distribution.bins) for column in found.values()) <= MOST_BINS
