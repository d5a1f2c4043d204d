"""Explained events as a file: nothing is lost, little is needed, and no other file is taken for one."""

from pathlib import Path

import numpy as np
import pytest

from explainability.explained import Explained, ExplainedError, read
from tests.explained import explained


def stored(events: Explained, tmp_path: Path) -> Explained:
    events.write(tmp_path / "explained.arrow")
    return read(tmp_path / "explained.arrow")


@pytest.mark.parametrize("classes", [1, 2, 3, 10])
@pytest.mark.parametrize("local", [0, 20, 120])
def test_what_is_written_is_read_again(classes: int, local: int, tmp_path: Path) -> None:
    events = explained(classes=classes, local=local, finite=False)
    found = stored(events, tmp_path)
    for name in ("ids", "truth", "predicted", "confidence", "is_sampled"):
        np.testing.assert_array_equal(getattr(found, name), getattr(events, name))
    for name in ("base_values", "rows", "values", "local"):
        np.testing.assert_array_equal(getattr(found.findings, name), getattr(events.findings, name))
    for name in ("method", "output", "outputs", "features", "sources", "value_error", "gap", "background", "tree"):
        assert getattr(found.findings, name) == getattr(events.findings, name)
    for one, other in zip(found.findings.effects, events.findings.effects, strict=True):
        assert one.feature == other.feature
        np.testing.assert_array_equal(one.grid, other.grid)
        np.testing.assert_array_equal(one.lines, other.lines)
    assert found.place["event-0007"] == 7


def test_content_is_read_like_a_file(tmp_path: Path) -> None:
    explained().write(tmp_path / "explained.arrow")
    assert len(read((tmp_path / "explained.arrow").read_bytes())) == 120


def test_a_thousand_events_of_a_hundred_features_and_ten_classes_take_less_than_5_mb(tmp_path: Path) -> None:
    events = explained(events=1_000, features=100, classes=10, local=40)
    noise = np.random.default_rng(0).normal(size=events.findings.values.shape)
    events.findings.values[:] = noise  # what no compression makes smaller
    events.write(tmp_path / "explained.arrow")
    assert (tmp_path / "explained.arrow").stat().st_size < 5_000_000


@pytest.mark.parametrize("content", [b"", b"no Arrow file at all, but some text that goes on for a while"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(ExplainedError, match="does not hold explained events"):
        read(tmp_path / "other")
    with pytest.raises(ExplainedError, match="does not hold explained events"):
        read(content)


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(tmp_path / "other.arrow", pa.schema([("id", pa.string())])) as writer:
        writer.write_table(pa.table({"id": ["one"]}))
    with pytest.raises(ExplainedError):
        read(tmp_path / "other.arrow")
