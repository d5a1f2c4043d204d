"""Events of a version that are shown and heard."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from atlas.ingestion import Examples
from ingestion_engine import examples
from ingestion_engine.errors import UnknownError
from ingestion_engine.registration import shuffle_of
from storage.objects import DirectoryStore
from tests.ingestion_engine.engine import Api

DIGEST = "0" * 64
RATES = {"microphone": 1000.0}


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


def table(**columns: object) -> pa.Table:
    rows = len(columns["label"])  # type: ignore[arg-type]
    missing = pa.nulls(rows, pa.string())
    ids = [f"monday/{row}" for row in range(rows)]
    return pa.table({"id": ids, "time": missing, "car": missing, "environment": missing} | columns)


def made(store: DirectoryStore, **columns: object) -> Examples:
    return examples.make(table(**columns), DIGEST, store, rates=lambda _: RATES)


def test_each_label_has_three_examples_which_are_first_in_the_shuffled_order() -> None:
    labels = ["dent"] * 40 + ["none"] * 60 + ["scratch"]
    rows = examples.choose(table(label=labels))
    assert [labels[row] for row in rows] == ["none"] * 3 + ["dent"] * 3 + ["scratch"]
    shuffled = sorted(range(40), key=lambda row: shuffle_of(f"monday/{row}"))
    assert rows[3:6] == shuffled[:3]


def test_an_event_with_several_labels_is_an_example_once() -> None:
    rows = examples.choose(table(label=[["dent", "scratch"], ["dent"], [], None]))
    assert sorted(rows) == [0, 1, 2, 3]


def test_a_continuous_label_has_three_examples_in_all() -> None:
    assert len(examples.choose(table(label=[number / 7 for number in range(50)]))) == 3


def test_only_the_most_frequent_of_many_labels_have_examples() -> None:
    labels = [f"class {number:02}" for number in range(30) for _ in range(number + 1)]
    chosen = {labels[row] for row in examples.choose(table(label=labels))}
    assert chosen == {f"class {number:02}" for number in range(10, 30)}


def test_an_envelope_holds_the_least_and_the_greatest_of_each_part(store: DirectoryStore) -> None:
    samples = np.random.default_rng(1).normal(size=1050).astype("f4")
    (event,) = made(store, label=["dent"], microphone=[samples]).events
    (signal,) = event.signals
    assert (signal.length, signal.rate_hz, len(signal.minima), len(signal.maxima)) == (1050, 1000.0, 200, 200)
    parts = np.split(samples, np.linspace(0, 1050, 200, endpoint=False).astype(int)[1:])
    assert signal.minima == pytest.approx([part.min() for part in parts])
    assert signal.maxima == pytest.approx([part.max() for part in parts])


def test_missing_samples_leave_a_part_empty_only_if_all_of_it_is_missing(store: DirectoryStore) -> None:
    samples = [None, None, 1.0, None, 2.0, 3.0]
    (signal,) = made(store, label=["dent"], shock=[samples]).events[0].signals
    assert signal.minima == (None, None, 1.0, None, 2.0, 3.0)


def test_signals_of_whole_numbers_are_shown_and_texts_and_missing_signals_are_not(store: DirectoryStore) -> None:
    events = made(store, label=["dent", "dent"], shock=[[1, 2], None], words=[["a"], ["b"]]).events
    signals = {event.id: [(signal.column, signal.maxima) for signal in event.signals] for event in events}
    assert signals == {"monday/0": [("shock", (1.0, 2.0))], "monday/1": []}


def test_a_rate_that_no_channel_tells_is_that_of_the_events_duration(store: DirectoryStore) -> None:
    (event,) = made(store, label=["dent"], shock=[[1.0] * 50], duration_seconds=[0.5]).events
    assert event.signals[0].rate_hz == 100.0
    (event,) = made(store, label=["dent"], shock=[[1.0] * 50]).events
    assert event.signals[0].rate_hz is None


def test_what_was_made_is_kept_for_ever(store: DirectoryStore) -> None:
    found = made(store, label=["dent"], microphone=[[1.0, -1.0]])
    assert examples.read(DIGEST, store) == found
    with pytest.raises(UnknownError, match="no examples"):
        examples.read("1" * 64, store)


def test_a_signal_is_heard_at_its_rate_and_as_loud_as_it_can_be(store: DirectoryStore) -> None:
    tone = 0.001 * np.sin(np.arange(1000) / 5) + 7
    made(store, label=["dent"], microphone=[tone])
    samples, rate = soundfile.read(BytesIO(examples.wav(DIGEST, 0, "microphone", store)))
    assert (rate, len(samples)) == (1000, 1000)
    assert np.corrcoef(samples, tone)[0, 1] == pytest.approx(1, abs=1e-3)
    assert np.abs(samples).max() == pytest.approx(examples.LOUDEST, abs=1e-3)


@pytest.mark.parametrize("samples", [[0.0] * 9, [None] * 9, [5, 5, 5]])
def test_what_holds_no_sound_is_silent(store: DirectoryStore, samples: list[object]) -> None:
    made(store, label=["dent"], microphone=pa.array([samples], pa.list_(pa.float64())))
    heard, _ = soundfile.read(BytesIO(examples.wav(DIGEST, 0, "microphone", store)))
    assert (len(heard), np.abs(heard).max()) == (len(samples), 0)


@pytest.mark.parametrize(("number", "column"), [(1, "microphone"), (0, "shock"), (0, "nothing")])
def test_what_cannot_be_heard_is_unknown(store: DirectoryStore, number: int, column: str) -> None:
    made(store, label=["dent"], microphone=[[1.0]], shock=[[1.0]])
    with pytest.raises(UnknownError, match="example"):
        examples.wav(DIGEST, number, column, store)


def test_a_version_has_examples_over_http(api: Api, parquet: Callable[..., bytes]) -> None:
    sound = [np.sin(np.arange(8000) / 9).astype("f4"), np.zeros(10, "f4")]
    api.send("monday", parquet(label=["dent", "none"], duration_seconds=[1.0, 1.0], **{"air/mic": sound}))
    api.tag("all")
    path = f"datasets/{api.newest('all')['query_id']}/examples"
    dent, none = sorted(api.get(path)["events"], key=lambda event: event["label"])
    assert (dent["id"], none["id"]) == ("monday/1", "monday/2")
    assert [len(each["signals"][0]["maxima"]) for each in (dent, none)] == [200, 10]
    whole = api.client.get(f"/api/v1/{path}/0/air/mic.wav")
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "audio/wav")
    part = api.client.get(f"/api/v1/{path}/0/air/mic.wav", headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, whole.content[4:10])
    assert part.headers["Content-Range"] == f"bytes 4-9/{len(whole.content)}"
    assert "no example 2" in api.get(f"{path}/2/air/mic.wav", status=404)["detail"]
    assert "no dataset version" in api.get("datasets/none/examples", status=404)["detail"]
