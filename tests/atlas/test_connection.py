"""Requests to a server that has faults: it breaks off, is out of order for a while, or is another one altogether."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from pydantic import BaseModel

from atlas.connection import Connection, whole_or_nothing
from atlas.errors import AtlasError

CONTENT = bytes(range(256)) * 40


class RefusedError(AtlasError):
    """The server refused."""


class UnavailableError(AtlasError):
    """The server has a fault."""


class Greeting(BaseModel):
    word: str


@dataclass(frozen=True)
class Reply:
    """What the stand-in answers; of the content it sends only `sent` bytes, if they are given, and hangs up."""

    status: int = 200
    content: bytes = b'{"word": "hello"}'
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    sent: int | None = None


class StandIn(ThreadingHTTPServer):
    """A server that gives its replies one after the other, the last one for ever."""

    replies: list[Reply]
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        self.server.asked.append(self.headers.get("Range", ""))
        reply = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        content = reply.content
        if reply.status == 206:
            content = content[int(self.headers["Range"].removeprefix("bytes=").rstrip("-")) :]
        self.send_response(reply.status)
        for name, value in ({"Content-Length": str(len(content))} | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: reply.sent])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


Connected = Callable[..., Connection]


@pytest.fixture
def connected(stand_in: StandIn) -> Iterator[Connected]:
    """A connection to a stand-in with some replies."""
    made = []

    def connect(*replies: Reply) -> Connection:
        stand_in.replies = list(replies)
        made.append(
            Connection(
                f"http://127.0.0.1:{stand_in.server_port}",
                name="The greeter",
                refused=lambda message, response: RefusedError(message),
                unavailable=UnavailableError,
                hint="Look at GREETER_URL.",
            )
        )
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


def test_a_server_that_is_out_of_order_for_a_moment_is_asked_again(connected: Connected, stand_in: StandIn) -> None:
    connection = connected(Reply(503, b""), Reply(502, b"<p>", {"Content-Type": "text/html"}), Reply())
    assert connection.ask(Greeting, "GET", "word").word == "hello"
    assert len(stand_in.asked) == 3


def test_one_that_stays_out_of_order_is_an_error_in_its_words(connected: Connected, stand_in: StandIn) -> None:
    with pytest.raises(UnavailableError, match=r"\(503\): the store is away$"):
        connected(Reply(503, b'{"detail": "the store is away"}')).request("GET", "word")
    assert len(stand_in.asked) == 3


def test_what_is_refused_is_not_asked_again(connected: Connected, stand_in: StandIn) -> None:
    said = (
        b'{"detail": "a: too long", "errors": [{"field": "a", "message": "too long"}, {"field": "b", "message": "no"}]}'
    )
    with pytest.raises(RefusedError, match=r"\(422\): a: too long; b: no$"):
        connected(Reply(422, said)).request("GET", "word")
    assert len(stand_in.asked) == 1


def test_a_server_that_nobody_runs_is_named_with_what_to_look_at(connected: Connected, stand_in: StandIn) -> None:
    connection = connected(Reply())
    stand_in.socket.close()
    with pytest.raises(UnavailableError, match=r"The greeter at http://127.*refused\. Look at GREETER_URL\.$"):
        connection.request("GET", "word")


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(404, b"<h1>Nothing</h1>", {"Content-Type": "text/html; charset=utf-8"}), "the answer is a web page"),
        (Reply(301, b"", {"Location": "https://there.example.org/"}), "the server is at https://there.example.org/"),
        (Reply(200, b"<h1>Welcome</h1>", {"Content-Type": "text/html"}), "otherwise than The greeter does"),
        (Reply(200, b"\xff\xfe\x00"), "otherwise than The greeter does"),
        (Reply(200, b'{"word": 7}'), "otherwise than The greeter does"),
    ],
    ids=["a page", "elsewhere", "a welcome", "garbage", "another document"],
)
def test_another_server_is_told_from_ours(connected: Connected, reply: Reply, says: str) -> None:
    with pytest.raises(RefusedError) as caught:
        connected(reply).ask(Greeting, "GET", "word")
    assert says in str(caught.value)
    assert str(caught.value).endswith("Look at GREETER_URL.")
    assert "<h1>" not in str(caught.value)


def test_an_answer_that_cannot_be_unpacked_is_a_fault_of_the_server(connected: Connected) -> None:
    with pytest.raises(UnavailableError, match="cannot be reached"):
        connected(Reply(200, b"no gzip", {"Content-Encoding": "gzip"})).request("GET", "word")


def test_a_download_goes_on_where_it_broke_off(connected: Connected, stand_in: StandIn, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    connection = connected(Reply(200, CONTENT, sent=4_000), Reply(206, CONTENT, sent=1_000), Reply(206, CONTENT))
    with (tmp_path / "file").open("w+b") as file:
        connection.fetch("file", file, progress=lambda done, size: told.append((done, size)))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert stand_in.asked == ["", "bytes=4000-", "bytes=5000-"]
    assert told == sorted(told)
    assert {size for _, size in told} == {len(CONTENT)}


def test_a_server_that_knows_no_ranges_sends_the_file_again(connected: Connected, tmp_path: Path) -> None:
    connection = connected(Reply(200, CONTENT, sent=4_000), Reply(200, CONTENT))
    with (tmp_path / "file").open("w+b") as file:
        connection.fetch("file", file)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_of_a_download_that_stays_broken_nothing_is_left(connected: Connected, tmp_path: Path) -> None:
    connection = connected(Reply(200, CONTENT, sent=4_000), Reply(206, CONTENT, sent=0))
    (tmp_path / "file").write_text("what was there before")
    with pytest.raises(UnavailableError), whole_or_nothing(tmp_path / "file") as file:
        connection.fetch("file", file)
    assert (tmp_path / "file").read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_silent_server_is_a_fault(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> httpx.Response:
        raise httpx.ReadTimeout("")

    connection = Connection(
        f"http://127.0.0.1:{stand_in.server_port}",
        name="The greeter",
        refused=lambda message, response: RefusedError(message),
        unavailable=UnavailableError,
        attempts=1,
    )
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", silent)
    with pytest.raises(UnavailableError, match=r"cannot be reached: ReadTimeout\.$"):
        connection.request("GET", "word")
    connection.close()
