"""Drift over versions: from the reference and from the version before."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.history import VersionDrift, history
from tests.monitoring import streams

RANDOM = np.random.default_rng(5)


def normal(mean: float, rows: int = 1000) -> pa.Table:
    return pa.table({"x": RANDOM.normal(mean, size=rows)})


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def has_moved(drift: VersionDrift) -> tuple[bool, bool | None]:
    before = drift.from_previous
    return drift.from_reference.columns[0].has_moved, None if before is None else before.columns[0].has_moved


def test_a_shift_stays_away_from_the_reference_but_is_new_only_once() -> None:
    found = list(history(normal(0), [("1", normal(0)), ("2", normal(1)), ("3", normal(1)), ("4", normal(0))]))
    assert [drift.version for drift in found] == ["1", "2", "3", "4"]
    assert [has_moved(drift) for drift in found] == [(False, None), (True, True), (True, False), (False, True)]


def test_versions_are_read_as_they_are_asked_for() -> None:
    asked: list[str] = []

    def versions() -> Any:
        for name in "abc":
            asked.append(name)
            yield name, normal(0)

    next(history(normal(0), versions()))
    assert asked == ["a"]


def test_a_version_without_rows_is_nobodys_predecessor() -> None:
    found = list(history(normal(0), [("1", normal(0)), ("2", normal(0, rows=0)), ("3", normal(1))]))
    assert list(found[1].from_reference.columns) == []
    assert found[1].from_reference.share_moved == found[1].from_reference.farthest == 0.0
    assert has_moved(found[2]) == (True, True)
    with pytest.raises(ValueError, match="have rows"):
        list(history(normal(0, rows=0), []))


def test_columns_that_come_and_go_are_named() -> None:
    before = pa.table({"speed": [1.0], "car": ["a"], "sound": [[1.0]]})
    [drift] = history(before, [("1", pa.table({"speed": [1.0], "rain": [True], "sound": [[2.0]]}))])
    assert (drift.from_reference.gone, drift.from_reference.new) == (["car"], ["rain"])
    [chosen] = history(before, [("1", pa.table({"speed": [1.0], "rain": [True]}))], ["speed"])
    assert (chosen.from_reference.gone, chosen.from_reference.new) == ([], [])


def test_labels_predictions_and_scalars_derived_from_lists_drift_as_columns_do() -> None:
    """The sound itself is a list of samples; its loudness is a column beside it."""
    reference, now = (streams.drawn(RANDOM, 1500) for _ in range(2))
    now = replaced(now, "sound.rms", np.array(now["sound.rms"]) * 1.5)
    now = replaced(now, "prediction", np.where(np.array(now["label"]) == "gravel", "asphalt", "cobbles"))
    sounds = pa.array([[0.0, 1.0]] * 1500)
    [drift] = history(reference.append_column("sound", sounds), [("1", now.append_column("sound", sounds))])
    moved = {column.name: column.has_moved for column in drift.from_reference.columns}
    assert {name for name, has_moved in moved.items() if has_moved} == {"sound.rms", "prediction"}
    assert moved["label"] is False
    assert "sound" not in moved
