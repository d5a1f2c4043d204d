"""Uploads to an engine that keeps, refuses, forgets or does not answer."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from atlas_collector import upload
from atlas_collector.settings import Settings, SettingsError, checked
from atlas_collector.upload import Engine, UnreachableError, Uploader, recording_name, token_in, waiting

PIECE = 4_096


class FakeEngine:
    """An ingestion engine behind a transport: it keeps files by their name."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.begun: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.signed_in_with: set[str | None] = set()
        self.trouble: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.url.path}")
        self.signed_in_with.add(request.headers.get("Authorization"))
        if (answer := self.trouble(request)) is not None:
            return answer
        if request.method == "POST":
            told = json.loads(request.content)
            self.told[told["name"]] = told
            self.begun.setdefault(told["name"], b"")
            return self._progress(told["name"])
        name = request.url.path.rpartition("/")[2]
        if request.method == "PUT":
            if int(request.headers["Upload-Offset"]) != len(self.begun[name]):
                return httpx.Response(409, json={"detail": "it begins elsewhere"})
            self.begun[name] += request.content
            if len(self.begun[name]) == self.told[name]["size_bytes"]:
                self.kept[name] = self.begun[name]
        return self._progress(name)

    def _progress(self, name: str) -> httpx.Response:
        recording = {"name": name, "sha256": hashlib.sha256(self.kept[name]).hexdigest()} if name in self.kept else None
        return httpx.Response(
            200, json={"id": name, "received_bytes": len(self.begun[name]), "size_bytes": 1, "recording": recording}
        )


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def uploader(engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Uploader]:
    client = httpx.Client

    def connected(**options: Any) -> httpx.Client:
        return client(transport=httpx.MockTransport(engine.answer), **options)

    monkeypatch.setattr(httpx, "Client", connected)
    calls = Engine("http://engine", 1.0, token="atlas_secret")
    yield Uploader(settings(tmp_path), calls)
    calls.close()


def settings(folder: Path) -> Settings:
    return checked(
        {
            "folder": str(folder),
            "car": "VW Polo",
            "environment": "rain",
            "upload": {
                "url": "http://engine",
                "piece_bytes": PIECE,
                "every_seconds": 0.05,
                "longest_pause_seconds": 0.1,
            },
        }
    )


def write_part(folder: Path, number: int, size: int = 3 * PIECE + 5) -> Path:
    """A finished part."""
    part = folder / f"20261127T10150{number}Z-000{number}.bag"
    part.write_bytes(bytes([number]) * size)
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    part.with_name(part.name + ".json").write_text(json.dumps({"sha256": digest}))
    return part


def mark(part: Path, ending: str = ".uploaded") -> Path:
    return part.with_name(part.name + ending)


def test_parts_are_sent_oldest_first_and_stay_with_the_answer_beside_them(
    uploader: Uploader, engine: FakeEngine, tmp_path: Path
) -> None:
    second, first = write_part(tmp_path, 2), write_part(tmp_path, 1)
    (tmp_path / "20261127T101503Z-0003.bag.active").write_bytes(b"not finished")
    uploader.send_finished()
    assert list(engine.kept) == ["VW-Polo-20261127T101501Z-0001", "VW-Polo-20261127T101502Z-0002"]
    assert engine.kept["VW-Polo-20261127T101501Z-0001"] == first.read_bytes()
    assert engine.told["VW-Polo-20261127T101501Z-0001"]["settings"] == {"car": "VW Polo", "environment": "rain"}
    assert json.loads(mark(second).read_text())["sha256"] == hashlib.sha256(second.read_bytes()).hexdigest()
    assert waiting(tmp_path) == []


def test_what_was_cut_off_goes_on_with_the_piece_that_is_missing(
    uploader: Uploader, engine: FakeEngine, tmp_path: Path
) -> None:
    part = write_part(tmp_path, 1)

    def cut_off(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PUT" and len(engine.requests) == 4:
            raise httpx.ReadError("connection reset")
        return None

    engine.trouble = cut_off
    with pytest.raises(UnreachableError, match="connection reset"):
        uploader.send_finished()
    assert not mark(part).exists()
    uploader.send_finished()
    assert engine.kept["VW-Polo-20261127T101501Z-0001"] == part.read_bytes()
    assert sum(request.startswith("PUT") for request in engine.requests) == 5  # four pieces, one of them twice
    assert engine.signed_in_with == {"Bearer atlas_secret"}


def test_a_lost_answer_is_no_lost_piece(uploader: Uploader, engine: FakeEngine, tmp_path: Path) -> None:
    part = write_part(tmp_path, 1)
    name = recording_name("VW Polo", part)
    engine.begun[name] = b""
    engine.told[name] = {"size_bytes": part.stat().st_size}
    uploads = Engine("http://engine", 1.0)
    uploads.send(upload.Progress(name, 0, None), part.read_bytes()[:PIECE], is_last=False)
    stands = uploads.send(upload.Progress(name, 0, None), part.read_bytes()[:PIECE], is_last=False)
    uploads.close()
    assert stands.received_bytes == PIECE


def test_a_part_that_is_refused_for_good_is_set_aside_and_lets_the_next_pass(
    uploader: Uploader, engine: FakeEngine, tmp_path: Path
) -> None:
    refused, next_part = write_part(tmp_path, 1), write_part(tmp_path, 2)

    def refuse(request: httpx.Request) -> httpx.Response | None:
        is_first = request.method == "POST" and b"0001.bag" in request.content
        return httpx.Response(409, json={"detail": "the name stands for another file"}) if is_first else None

    engine.trouble = refuse
    for _ in range(upload.ATTEMPTS):
        assert not mark(refused, ".refused").exists()
        uploader.send_finished()
    assert mark(next_part).exists()
    assert mark(refused, ".refused").read_text() == "the name stands for another file\n"
    assert refused.exists()
    assert waiting(tmp_path) == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(404, text="Not found"), id="no engine"),
        pytest.param(httpx.Response(503, json={"detail": "its tables do not answer"}), id="engine in trouble"),
        pytest.param(httpx.Response(200, text="<html>Sign in to the hotel's network</html>"), id="captive portal"),
        pytest.param(httpx.Response(200, json=[]), id="another service"),
    ],
)
def test_what_is_no_acknowledgement_marks_nothing(
    uploader: Uploader, engine: FakeEngine, tmp_path: Path, answer: httpx.Response
) -> None:
    part = write_part(tmp_path, 1)
    engine.trouble = lambda request: answer
    for _ in range(upload.ATTEMPTS + 1):
        with pytest.raises(UnreachableError):
            uploader.send_finished()
    assert waiting(tmp_path) == [part]


def test_an_acknowledgement_of_another_file_is_none(uploader: Uploader, engine: FakeEngine, tmp_path: Path) -> None:
    part = write_part(tmp_path, 1)
    engine.kept[recording_name("VW Polo", part)] = b"something else"
    with pytest.raises(UnreachableError, match="acknowledged another file"):
        uploader.send_finished()
    assert waiting(tmp_path) == [part]


def test_a_part_that_the_disk_changed_is_sent_as_it_is(
    uploader: Uploader, engine: FakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part = write_part(tmp_path, 1)
    part.write_bytes(b"\xff" + part.read_bytes()[1:])
    uploader.send_finished()
    assert engine.kept[recording_name("VW Polo", part)] == part.read_bytes()
    assert "has changed since it was finished" in caplog.text


def test_it_goes_on_by_itself_once_there_is_a_network_and_says_once_that_there_was_none(
    uploader: Uploader, engine: FakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part, stop = write_part(tmp_path, 1), threading.Event()

    def away(request: httpx.Request) -> httpx.Response | None:
        if len(engine.requests) <= 3:
            raise httpx.ConnectError("no route to host")
        if part.with_name(part.name + ".uploaded").exists():
            stop.set()
        return None

    engine.trouble = away
    write_part(tmp_path, 2)
    uploader.run(stop)
    assert mark(part).exists()
    assert caplog.text.count("no route to host") == 1


@pytest.mark.parametrize(
    ("car", "name"),
    [("", "20261127T101500Z-0001"), ("Käfer 1/2", "K-fer-1-2-20261127T101500Z-0001"), ("…", "20261127T101500Z-0001")],
    ids=["none", "letters", "none that is plain"],
)
def test_recordings_are_named_after_the_car(car: str, name: str) -> None:
    assert recording_name(car, Path("20261127T101500Z-0001.bag")) == name
    assert len(recording_name(200 * "a", Path("20261127T101500Z-0001.bag"))) <= 128


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("atlas_secret\n")
    assert (token_in(str(tmp_path / "token")), token_in("")) == ("atlas_secret", "")


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), ("", "one line"), ("one\ntwo", "one line")])
def test_a_file_without_a_token_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)
    with pytest.raises(SettingsError, match=f"upload/token_file: {tmp_path}/token .*{said}"):
        token_in(str(tmp_path / "token"))
