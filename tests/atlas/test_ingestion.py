"""The client against the reference engine, run as a process of its own."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.datasets import DatasetDescription, Format, Split, content_digest, read_arrow
from atlas.errors import DatasetError, IngestionError, IngestionUnavailableError
from atlas.ingestion import EventChange, IngestionClient, RecordingSettings, RecordingState, _connected, _recordings
from tests.ingestion_engine.engine import COMPONENTS_TOKEN
from tests.ingestion_engine.server import person_token, prepared, serving

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with prepared(tmp_path_factory.mktemp("engine")) as found:
        yield found


@pytest.fixture(scope="module")
def url(environment: dict[str, str]) -> Iterator[str]:
    with serving(environment) as address:
        yield address


@pytest.fixture(scope="module")
def token(environment: dict[str, str]) -> str:
    return person_token(environment)


@pytest.fixture
def client(url: str, token: str) -> Iterator[IngestionClient]:
    client = IngestionClient(url, token=token)
    yield client
    client.close()


@pytest.fixture(scope="module")
def dataset(url: str, tmp_path_factory: pytest.TempPathFactory) -> DatasetDescription:
    """A version with both splits."""
    path = tmp_path_factory.mktemp("recordings") / "monday.csv"
    path.write_text("label,x\n" + "".join(f"dent,{number}\n" for number in range(100)))
    client = IngestionClient(url, token=COMPONENTS_TOKEN)
    client.upload_recording(path)
    tag = client.create_tag("monday", 'recording = "monday"')
    found = client.dataset(tag.versions[-1].query_id)
    client.close()
    return found


def test_a_recording_is_sent_once(client: IngestionClient, tmp_path: Path) -> None:
    path = tmp_path / "sunday.csv"
    path.write_text("label\ndent\n")
    first, again = client.upload_recording(path), client.upload_recording(path)
    assert (first.name, first.events, first.state) == ("sunday", 1, RecordingState.READY)
    assert first.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert again == first
    assert client.upload_recording(path, name="another-sunday").name == "another-sunday"


def test_a_file_goes_in_parts_and_what_broke_off_goes_on_where_it_stopped(
    client: IngestionClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "parts.csv"
    path.write_text("label\n" + "dent\n" * 60)
    size = path.stat().st_size
    monkeypatch.setattr(_recordings, "PART_BYTES", 100)

    def break_off(done: int, _size: int) -> None:
        if done == 200:
            raise KeyboardInterrupt

    told: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        client.send_recording(path, progress=break_off)
    recording = client.send_recording(path, progress=lambda done, _size: told.append(done))
    assert told == [200, 300, size]
    assert client.wait(recording.name).events == 60
    told.clear()
    assert client.send_recording(path, progress=lambda done, _size: told.append(done)).state is RecordingState.READY
    assert told == [size]


def test_a_part_that_arrived_unnoticed_is_not_sent_again(
    client: IngestionClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "unnoticed.csv"
    path.write_text("label\n" + "dent\n" * 60)
    monkeypatch.setattr(_recordings, "PART_BYTES", 100)

    def overtake(done: int, _size: int) -> None:
        if done == 100:
            monkeypatch.setattr(_recordings, "PART_BYTES", 50)
            client.send_recording(path)

    assert client.wait(client.send_recording(path, progress=overtake).name).events == 60


def test_settings_travel_with_a_recording(client: IngestionClient, tmp_path: Path) -> None:
    path = tmp_path / "settings.csv"
    path.write_text("label\ndent\n")
    settings = RecordingSettings(car="A1", before_seconds=0.5)
    assert client.send_recording(path, settings=settings).settings == settings


def test_recordings_are_listed_newest_first_over_all_pages(
    client: IngestionClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        path = tmp_path / f"listed-{number}.csv"
        path.write_text(f"label,x\ndent,{number}\n")
        client.upload_recording(path)
    monkeypatch.setattr(_connected, "PAGE_SIZE", 2)
    names = [recording.name for recording in client.recordings()]
    assert names[:3] == ["listed-2", "listed-1", "listed-0"]
    assert len(names) == len(set(names))
    assert {recording.state for recording in client.recordings(RecordingState.READY)} == {RecordingState.READY}


def test_a_recording_that_is_not_ready_in_time_is_told(tmp_path: Path, client: IngestionClient) -> None:
    path = tmp_path / "slow.csv"
    path.write_text("label\n" + "dent\n" * 5000)
    with pytest.raises(IngestionError, match=r"still (waiting|decoding) after 0 s"):
        client.wait(client.send_recording(path).name, timeout_seconds=0)


def test_a_query_can_be_tried_and_tags_listed(client: IngestionClient, dataset: DatasetDescription) -> None:
    preview = client.preview('recording = "monday"')
    assert (preview.rows, preview.labels) == (100, {"dent": 100})
    assert "x" in {column.name for column in client.columns()}
    assert dataset.tag in {tag.name for tag in client.tags()}
    assert client.create_tag("daily", 'recording = "monday"', every_seconds=86_400).every_seconds == 86_400


def test_an_event_is_relabelled_and_deleted_and_the_difference_of_the_versions_told(
    client: IngestionClient, tmp_path: Path
) -> None:
    path = tmp_path / "edited.csv"
    path.write_text("id,label\na,dent\nb,dent\nc,none\n")
    client.upload_recording(path)
    client.create_tag("edited", 'recording = "edited"')
    first, second, _ = sorted(client.events("edited"), key=lambda event: event.id)
    changed = client.change_event("edited", "a", EventChange(since=first.since, label="scratch"))
    assert (changed.id, changed.label) == ("edited/a", "scratch")
    with pytest.raises(IngestionError, match="409"):
        client.change_event("edited", "a", EventChange(since=first.since, label="none"))
    client.delete_event("edited", "b", since=second.since)
    assert [event.id for event in client.events("edited")] == ["edited/a", "edited/c"]
    while (newest := client.tag("edited").versions[-1]).rows != 2:
        pass
    found = client.difference("edited", 1, newest.number)
    assert (found.added, found.removed, found.changed) == (0, 1, 1)


def test_events_are_listed_over_all_pages(client: IngestionClient, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("label\n" + "dent\n" * 450)
    client.upload_recording(path)
    assert len({event.id for event in client.events("many")}) == 450


def test_examples_of_a_version_are_told(client: IngestionClient, dataset: DatasetDescription) -> None:
    assert [event.label for event in client.examples(dataset.query_id).events] == ["dent"] * 3


def test_a_version_arrives_as_parquet_and_with_some_columns(
    client: IngestionClient, dataset: DatasetDescription, tmp_path: Path
) -> None:
    client.download(dataset, Split.TRAINING, tmp_path / "whole.arrow")
    client.download(dataset, Split.TRAINING, tmp_path / "whole.parquet", form=Format.PARQUET)
    client.download(dataset, Split.TRAINING, tmp_path / "some.arrow", columns=["id", "x"])
    whole = read_arrow(tmp_path / "whole.arrow")
    assert pq.read_table(tmp_path / "whole.parquet").equals(whole)
    assert read_arrow(tmp_path / "some.arrow").equals(whole.select(["id", "x"]))


def test_a_format_that_the_engine_does_not_offer_is_refused(
    client: IngestionClient, dataset: DatasetDescription, tmp_path: Path
) -> None:
    without = dataset.model_copy(update={"parquet": {}})
    with pytest.raises(DatasetError, match="has no parquet file"):
        client.download(without, Split.TRAINING, tmp_path / "x.parquet", form=Format.PARQUET)


def test_both_splits_arrive_with_the_content_that_was_promised(
    client: IngestionClient, dataset: DatasetDescription, tmp_path: Path
) -> None:
    parts = []
    for split in Split:
        client.download(dataset, split, tmp_path / f"{split}.arrow")
        parts.append(read_arrow(tmp_path / f"{split}.arrow"))
        assert parts[-1].num_rows == dataset.splits[split].rows > 0
    assert content_digest(pa.concat_tables(parts).sort_by("id")) == dataset.digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evaluation.arrow", "training.arrow"]


def test_other_content_than_promised_is_refused_and_removed(
    client: IngestionClient, dataset: DatasetDescription, tmp_path: Path
) -> None:
    wrong = dataset.splits[Split.TRAINING].model_copy(update={"sha256": "0" * 64})
    description = dataset.model_copy(update={"splits": {Split.TRAINING: wrong}})
    with pytest.raises(DatasetError, match="has sha256"):
        client.download(description, Split.TRAINING, tmp_path / "training.arrow")
    assert not list(tmp_path.iterdir())


def test_a_refusal_is_told_in_the_engines_words(client: IngestionClient, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("x\n1\n")
    refusals: list[tuple[Callable[[], object], str]] = [
        (lambda: client.upload_recording(path), "no column 'label'"),
        (lambda: client.create_tag("broken", "x >"), "line 1, column 4"),
        (lambda: client.tag("nowhere"), "no tag 'nowhere'"),
        (lambda: client.dataset("nowhere"), "no dataset version 'nowhere'"),
    ]
    for refused, said in refusals:
        with pytest.raises(IngestionError, match=said) as caught:
            refused()
        assert not caught.value.retry_helps


def test_who_bears_no_token_is_told_how_to_get_one(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ATLAS_INGESTION_TOKEN", "ATLAS_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("ATLAS_INGESTION_URL", url)
    with IngestionClient.from_environment() as client, pytest.raises(IngestionError, match="set ATLAS_TOKEN to it"):
        client.tags()


@pytest.mark.parametrize("variable", ["ATLAS_INGESTION_TOKEN", "ATLAS_TOKEN"])
def test_a_token_may_be_the_engine_s_own_or_the_dashboard_s(
    url: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("ATLAS_INGESTION_URL", url)
    monkeypatch.setenv(variable, COMPONENTS_TOKEN)
    with IngestionClient.from_environment() as client:
        assert client.columns()


def test_an_engine_that_is_not_there_is_asked_again_and_then_reported() -> None:
    client = IngestionClient("http://127.0.0.1:9", attempts=2)
    with pytest.raises(IngestionUnavailableError, match=r"127\.0\.0\.1:9.* cannot be reached"):
        client.tag("all")
    client.close()


def test_a_download_that_breaks_off_goes_on_where_it_stopped(dataset: DatasetDescription, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    with _breaking_off(content, ranges=True) as (url, asked):
        client = IngestionClient(url, token=COMPONENTS_TOKEN)
        client.download(_promising(dataset, content), Split.TRAINING, tmp_path / "data.arrow")
        client.close()
    assert (tmp_path / "data.arrow").read_bytes() == content
    assert asked == [None, f"bytes={len(content) // 2}-"]


def test_a_download_begins_again_where_an_engine_knows_no_ranges(dataset: DatasetDescription, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    with _breaking_off(content, ranges=False) as (url, asked):
        client = IngestionClient(url, token=COMPONENTS_TOKEN)
        client.download(_promising(dataset, content), Split.TRAINING, tmp_path / "data.arrow")
        client.close()
    assert (tmp_path / "data.arrow").read_bytes() == content
    assert len(asked) == 2


def _promising(dataset: DatasetDescription, content: bytes) -> DatasetDescription:
    file = dataset.splits[Split.TRAINING]
    changed = file.model_copy(update={"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)})
    return dataset.model_copy(update={"splits": {Split.TRAINING: changed}})


@contextmanager
def _breaking_off(content: bytes, *, ranges: bool) -> Iterator[tuple[str, list[str | None]]]:
    """A server that closes the first connection after half of the content; yields which ranges it was asked for."""
    asked: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Range"])
            start = int(asked[-1][6:-1]) if ranges and asked[-1] else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : len(content) // 2 if len(asked) == 1 else None])

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()
