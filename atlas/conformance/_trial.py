"""What the rules ask an engine, and what they share: recordings, a tag, and what came of them."""

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import httpx
import pyarrow as pa
from pydantic import BaseModel, TypeAdapter, ValidationError

from atlas.conformance._rules import BrokenError, SkippedError, expect
from atlas.connection import detail
from atlas.datasets import DatasetDescription, DatasetVersion, Split, TagDescription
from atlas.ingestion import RecordingDescription, RecordingState

Known = TypeVar("Known", bound=BaseModel)
Value = TypeVar("Value")

API = "/api/v1/"
HEADING = "id,time,label,car,environment,speed,note,wet"
LABELS, CARS = ("dent", "none", "scratch"), ("Polo", "Golf")
FIRST, SECOND = range(40), range(40, 60)
NOT_OFFERED = (404, 405, 501)
PAUSE_SECONDS = 0.2


class Trial:
    """A conversation with one engine.

    All names begin with `prefix`: on an engine that is in use, nothing else is touched. What could not be made is not
    tried again: each rule that needs it is skipped.

    Args:
        http: speaks to the engine; its base URL is the engine's.
        prefix: a name that no recording or tag of the engine begins with.
        patience_seconds: how long a recording or a version may take.
    """

    def __init__(self, http: httpx.Client, *, prefix: str, patience_seconds: float = 60.0) -> None:
        self.http, self.prefix, self.patience_seconds = http, prefix, patience_seconds

    # Asking ---------------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """The answer to a request; `arguments` are httpx's."""
        return self.http.request(method, API + path, **arguments)

    def told(self, document: type[Known], response: httpx.Response) -> Known:
        """The document that a success holds.

        Raises:
            BrokenError: it is no success, or no such document.
        """
        self.succeeded(response)
        try:
            return document.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "body"
            raise BrokenError(f"a {document.__name__}", f"{where}: {first['msg']}") from error

    def succeeded(self, response: httpx.Response) -> None:
        """Raises BrokenError unless the answer is a success."""
        if not response.is_success:
            raise BrokenError(f"success of {response.request.method} {response.url.path}", _answer(response))

    def refused(self, response: httpx.Response, *statuses: int) -> None:
        """Raises BrokenError unless the answer has one of these statuses, and says in JSON what is wrong."""
        wanted = " or ".join(map(str, statuses))
        if response.status_code not in statuses:
            raise BrokenError(f"status {wanted}", _answer(response))
        if not response.headers.get("Content-Type", "").startswith("application/json") or not detail(response):
            raise BrokenError('JSON with a text "detail"', _answer(response))

    def offered(self, response: httpx.Response, what: str) -> httpx.Response:
        """The response; raises SkippedError if the engine has nothing at this address, or the token may not use it."""
        if response.status_code in NOT_OFFERED:
            raise SkippedError(f"the engine offers no {what}")
        if response.status_code == httpx.codes.FORBIDDEN:
            raise SkippedError(f"the token is not enough: {detail(response)}")
        return response

    # Recordings -----------------------------------------------------------------------------------------------------

    def name(self, word: str) -> str:
        """A name for a recording or tag of this trial."""
        return f"{self.prefix}-{word}"

    def send(self, word: str, content: bytes) -> httpx.Response:
        """Send a file as a recording."""
        files = {"file": (f"{word}.csv", content, "text/csv")}
        return self.ask("POST", "recordings", data={"name": self.name(word)}, files=files)

    def state(self, word: str) -> RecordingDescription | None:
        """What the engine says of a recording; None if it does not tell."""
        response = self.ask("GET", f"recordings/{self.name(word)}")
        return None if response.status_code in NOT_OFFERED else self.told(RecordingDescription, response)

    def settled(self, word: str) -> RecordingDescription | None:
        """The recording, once it is ready or failed; None if the engine does not tell of recordings.

        Raises:
            BrokenError: it is neither in time.
        """

        def found() -> tuple[bool, RecordingDescription | None]:
            state = self.state(word)
            return state is None or state.state.is_final, state

        return self.awaited(found, "a recording that is ready or failed")

    def received(self, word: str, rows: range) -> RecordingDescription | None:
        """Send events and wait for them.

        Raises:
            BrokenError: they are refused, or fail.
        """
        self.succeeded(self.send(word, events_csv(rows)))
        recording = self.settled(word)
        if recording and recording.state is RecordingState.FAILED:
            raise BrokenError("a recording that is ready", f"failed: {recording.problem}")
        return recording

    @cached_property
    def _first(self) -> bool:
        """Whether the first recording could be sent."""
        return self._worked(lambda: self.received("first", FIRST))

    def needs_recording(self) -> None:
        """Raises SkippedError unless the first recording is there."""
        if not self._first:
            raise SkippedError("it needs a recording, and none could be sent")

    # Tags and versions ----------------------------------------------------------------------------------------------

    @property
    def query(self) -> str:
        """Selects the events of the first and the second recording."""
        return f'recording in ("{self.name("first")}", "{self.name("second")}")'

    def make_tag(self, word: str, query: str) -> httpx.Response:
        """Create a tag."""
        return self.ask("POST", "tags", json={"name": self.name(word), "query": query})

    def tag(self, word: str) -> TagDescription:
        """A tag as it is now."""
        return self.told(TagDescription, self.ask("GET", f"tags/{self.name(word)}"))

    def version(self, word: str, number: int) -> DatasetVersion:
        """A version of a tag, once there is one of this number.

        Raises:
            BrokenError: there is none in time.
        """

        def found() -> tuple[bool, tuple[DatasetVersion, ...]]:
            versions = self.tag(word).versions
            return any(each.number == number for each in versions), versions

        versions = self.awaited(found, f"version {number} of {self.name(word)}")
        return next(each for each in versions if each.number == number)

    @cached_property
    def _tag(self) -> bool:
        self.needs_recording()
        return self._worked(lambda: self.succeeded(self.make_tag("tag", self.query)), lambda: self.version("tag", 1))

    @cached_property
    def first_version(self) -> DatasetDescription:
        """The version of the first recording alone."""
        if not self._tag:
            raise SkippedError("it needs a tag with a version, and none could be made")
        return self.dataset(self.version("tag", 1).query_id)

    @cached_property
    def both(self) -> DatasetDescription:
        """The version of both recordings."""
        _ = self.first_version, self.first_files
        if not self._worked(lambda: self.received("second", SECOND), lambda: self.version("tag", 2)):
            raise SkippedError("it needs a second version, and none appeared")
        return self.dataset(self.version("tag", 2).query_id)

    def dataset(self, query_id: str) -> DatasetDescription:
        """What the engine says of a version."""
        return self.told(DatasetDescription, self.ask("GET", f"datasets/{query_id}"))

    def data(
        self, query_id: str, split: Split, headers: Mapping[str, str] | None = None, **more: str
    ) -> httpx.Response:
        """The data of a split; `more` are further parameters."""
        params = {"split": split.value, **more}
        asked = {"Accept-Encoding": "identity", **(headers or {})}
        return self.ask("GET", f"datasets/{query_id}/data", params=params, headers=asked)

    @cached_property
    def first_files(self) -> dict[Split, bytes]:
        """The files of the first version."""
        return self.files(self.first_version)

    @cached_property
    def tables(self) -> dict[Split, pa.Table]:
        """The rows of the first version."""
        return {split: arrow(content) for split, content in self.first_files.items()}

    @property
    def rows(self) -> pa.Table:
        """All rows of the first version, ordered by id."""
        return pa.concat_tables(self.tables.values()).sort_by("id")

    def files(self, dataset: DatasetDescription) -> dict[Split, bytes]:
        """The files of a version."""
        found = {}
        for split in Split:
            response = self.data(dataset.query_id, split)
            self.succeeded(response)
            found[split] = response.content
        return found

    # Waiting --------------------------------------------------------------------------------------------------------

    def awaited(self, found: Callable[[], tuple[bool, Value]], what: str) -> Value:
        """What is found once it is as it should be.

        Raises:
            BrokenError: it is not in time.
        """
        deadline = time.monotonic() + self.patience_seconds
        while True:
            done, value = found()
            if done:
                return value
            if time.monotonic() > deadline:
                raise BrokenError(f"{what} within {self.patience_seconds:g} s", value)
            time.sleep(PAUSE_SECONDS)

    @staticmethod
    def _worked(*steps: Callable[[], object]) -> bool:
        """Whether all steps go well; which rule breaks otherwise, that rule says."""
        try:
            for step in steps:
                step()
        except (BrokenError, httpx.HTTPError):
            return False
        return True


def events_csv(rows: range, **changes: str) -> bytes:
    """A recording of these events; `changes` are other labels by id."""
    lines = []
    for row in rows:
        label = changes.get(f"e{row}", LABELS[row % 3])
        note = "" if row % 5 == 0 else f"note {row % 4}"
        wet = "true" if row % 2 else "false"
        time_ = f"2026-01-31T12:{row % 60:02}:00Z"
        lines.append(f"e{row},{time_},{label},{CARS[row % 2]},{'rain' if row % 4 else ''},{row / 4},{note},{wet}")
    return "\n".join([HEADING, *lines, ""]).encode()


def sha256(content: bytes) -> str:
    """The digest of bytes."""
    return hashlib.sha256(content).hexdigest()


def arrow(content: bytes) -> pa.Table:
    """The table of an Arrow IPC file.

    Raises:
        BrokenError: it is none.
    """
    try:
        return pa.ipc.open_file(content).read_all()
    except pa.ArrowInvalid as error:
        raise BrokenError("an Arrow IPC file", str(error).splitlines()[0]) from error


def listed(document: type[Known], response: httpx.Response) -> list[Known]:
    """The list of documents that a success holds.

    Raises:
        BrokenError: it is none.
    """
    expect(200, response.status_code, "status")
    try:
        return TypeAdapter(list[document]).validate_json(response.content)  # type: ignore[valid-type]
    except ValidationError as error:
        raise BrokenError(f"a list of {document.__name__}", error.errors()[0]["msg"]) from error


def _answer(response: httpx.Response) -> str:
    said = detail(response) or " ".join(response.text.split())[:100]
    return f"{response.status_code} {said}".strip()
