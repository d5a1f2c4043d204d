"""The page of a recording's signals, and what it asks for."""

import io
from base64 import b64decode
from typing import Any

import pyarrow.parquet as pq
import pytest
import soundfile

from atlas.access import Role
from bags.export import Format
from ingestion_engine.models import Recording
from ingestion_engine.pages import signals
from tests.ingestion_engine.pages.conftest import Engine, drive

pytestmark = pytest.mark.any_database


@pytest.fixture
def recording(engine: Engine) -> Recording:
    engine.become(Role.VIEWER)
    return drive()


def get(engine: Engine, what: str, *, status: int = 200, headers: Any = None) -> Any:
    answer = engine.client.get(f"/recordings/drive/{what}", headers=headers)
    assert answer.status_code == status, answer.getvalue()
    return answer


def test_the_page_offers_the_sensors_of_the_recording(engine: Engine, recording: Recording) -> None:
    page = engine.read("/recordings/drive/signals/")
    assert 'value="sound"' in page
    assert 'href="/recordings/drive/"' in page
    assert "/recordings/drive/signals/" in engine.read("/recordings/drive/")


def test_a_recording_without_signals_has_its_own_page_only(engine: Engine, recording: Recording) -> None:
    recording.channels = []
    recording.save()
    answer = engine.client.get("/recordings/drive/signals/?from=1&to=2")
    assert answer.headers["Location"] == "/recordings/drive/"
    get(engine, "statistics", status=404)


def test_what_a_channel_is_like_is_in_a_table(engine: Engine, recording: Recording) -> None:
    part = get(engine, "statistics").content.decode()
    assert "80,000" in part
    assert "no sample is missing" in part


def test_a_spectrogram_has_a_byte_for_each_level(engine: Engine, recording: Recording) -> None:
    found = get(engine, "spectrogram?channel=sound&start=0&end=10&columns=50&rows=65").json()
    levels = b64decode(found["levels"])
    assert (found["columns"], found["rows"], len(levels)) == (50, 65, 50 * 65)
    column = [levels[row * 50 + 20] for row in range(65)]
    assert column.index(max(column)) * 4000 / 64 == pytest.approx(8000 / 5 / 6.2832, abs=63)


def test_a_range_of_a_sound_is_those_bytes_of_it(engine: Engine, recording: Recording) -> None:
    address = "sound.wav?channel=sound&start=0&end=10"
    whole = get(engine, address).getvalue()
    part = get(engine, address, status=206, headers={"Range": "bytes=1000-1999"})
    assert part.content == whole[1000:2000]
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(whole)}"
    behind = get(engine, address, status=416, headers={"Range": "bytes=999999999-"})
    assert behind.headers["Content-Range"] == f"bytes */{len(whole)}"


def test_no_answer_holds_more_of_a_sound_than_is_kept_in_memory(
    engine: Engine, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MOST_SOUND_BYTES", 1000)
    address = "sound.wav?channel=sound&start=0&end=1"
    assert len(get(engine, address, status=206, headers={"Range": "bytes=0-"}).content) == 1000
    samples, rate = soundfile.read(io.BytesIO(get(engine, address).getvalue()))
    assert (rate, len(samples)) == (8000, 8000)


@pytest.mark.parametrize("file_format", list(Format))
def test_a_part_is_exported(engine: Engine, recording: Recording, file_format: Format) -> None:
    answer = get(engine, f"export?channel=sound&start=1&end=2&format={file_format}")
    content = answer.getvalue()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="drive.{file_format}"'
    if file_format is Format.PARQUET:
        assert pq.read_table(io.BytesIO(content)).num_rows == 8000
    elif file_format is Format.CSV:
        assert content.count(b"\n") == 8001
    else:
        assert len(soundfile.read(io.BytesIO(content))[0]) == 8000


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("start=1&end=2&format=csv", "channel: Choose at least one."),
        ("channel=sound&start=3&end=2&format=csv", "It comes after the start."),
        ("channel=nothing&start=1&end=2&format=csv", "nothing"),
        ("channel=sound&start=1&end=2&format=mp3", "format:"),
    ],
)
def test_what_cannot_be_exported_is_said_on_the_page(
    engine: Engine, recording: Recording, query: str, problem: str
) -> None:
    page = engine.read(f"/recordings/drive/export?{query}", status=422)
    assert problem in page
    assert "data-viewer" in page


def test_too_much_for_a_page_is_left_to_the_command(
    engine: Engine, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MOST_EXPORTED", 7999)
    assert "atlas bag export" in engine.read(
        "/recordings/drive/export?channel=sound&start=1&end=2&format=csv", status=422
    )


@pytest.mark.parametrize("what", ["spectrogram", "sound.wav", "envelope"])
def test_what_is_no_part_is_refused(engine: Engine, recording: Recording, what: str) -> None:
    get(engine, f"{what}?channel=nothing&start=0&end=1&columns=9&rows=9&points=9", status=422)
    get(engine, "spectrogram?channel=sound&start=0&end=0.0001&columns=9&rows=9", status=422)
