"""A connection to one of Atlas' servers: a request is tried again, a download goes on where it broke off."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import httpx
from pydantic import BaseModel, Field, SecretStr, ValidationError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from atlas.errors import AtlasError, SettingsError
from atlas.settings import Settings

Document = TypeVar("Document", bound=BaseModel)
Progress = Callable[[int, int], None]
"""Is told how many bytes of how many have passed; 0 of 0 while the size is not known."""


class ClientSettings(Settings):
    """Where the dashboard is, and what a script signs in with there."""

    url: str = Field("http://127.0.0.1:8000", description="Where the dashboard answers, for the `atlas` command")
    token: SecretStr = Field(SecretStr(""), description="The API token that the `atlas` command signs in with")


class Connection:
    """Requests to the server at `url`, whose paths begin with `/api/v1/`.

    A request that fails because the server cannot be reached, or has a fault of its own, is tried again, at most
    `attempts` times in all.

    Args:
        url: of the server, such as `http://127.0.0.1:8100`.
        name: what messages call it, such as "The ingestion engine".
        refused: the error of a request that the server refuses; made of the message and the response's status.
        unavailable: the error of a server that cannot be reached or has a fault.
        hint: what to look at if there is no such server at `url`; ends the messages that may come of it.
        headers: of every request.
        timeout_seconds: how long the server may be silent.
        attempts: how often a request is made in all.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        refused: Callable[[str, httpx.Response], AtlasError],
        unavailable: type[AtlasError],
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 30.0,
        attempts: int = 3,
    ) -> None:
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1/", timeout=timeout_seconds, headers=headers)
        self._name, self._refused, self._unavailable = name, refused, unavailable
        self._hint = f" {hint}" if hint else ""
        self._retrying = Retrying(
            retry=retry_if_exception_type(unavailable),
            stop=stop_after_attempt(attempts),
            wait=wait_exponential(multiplier=0.2, max=5),
            reraise=True,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """The answer to a request; `arguments` are httpx's."""
        return self._retrying(self._request_once, method, path, **arguments)

    def ask(self, document: type[Document], method: str, path: str, **arguments: Any) -> Document:
        """The document that answers a request."""
        return self.parsed(document, self.request(method, path, **arguments))

    def parsed(self, document: type[Document], response: httpx.Response) -> Document:
        """The document that a response holds."""
        try:
            return document.model_validate_json(response.content)
        except ValidationError as error:
            message = f"{response.url} answered otherwise than {self._name} does.{self._hint}"
            raise self._refused(message, response) from error

    def fetch(
        self,
        path: str,
        file: BinaryIO,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        progress: Progress = lambda done, size: None,  # noqa: ARG005 - what it is called with
    ) -> httpx.Headers:
        """Write a whole file to an empty one; if the connection breaks, it goes on where it stopped.

        Returns:
            The headers of the last response.
        """
        return self._retrying(self._fetch_on, path, file, params or {}, headers or {}, progress)

    def _fetch_on(
        self, path: str, file: BinaryIO, params: Mapping[str, str], headers: Mapping[str, str], progress: Progress
    ) -> httpx.Headers:
        """Append to the file what it does not have yet."""
        asked = {"Accept-Encoding": "identity", **headers}
        if file.tell():
            asked["Range"] = f"bytes={file.tell()}-"
        with self._reached(), self._http.stream("GET", path, params=params, headers=asked) as response:
            if not response.is_success:
                response.read()
            if self._checked(response).status_code != httpx.codes.PARTIAL_CONTENT:
                file.seek(0)
                file.truncate()
            size = file.tell() + int(response.headers.get("Content-Length", 0))
            for chunk in response.iter_bytes():
                file.write(chunk)
                progress(file.tell(), size)
        return response.headers

    def _request_once(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        with self._reached():
            return self._checked(self._http.request(method, path, **arguments))

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as error:
            why = str(error) or type(error).__name__
            message = f"{self._name} at {self._http.base_url} cannot be reached: {why}.{self._hint}"
            raise self._unavailable(message) from error

    def _checked(self, response: httpx.Response) -> httpx.Response:
        """The response, if it is a success.

        Raises:
            AtlasError: `unavailable` for a fault of the server, which may pass, else `refused`, in the server's words.
        """
        if response.is_success:
            return response
        asked = f"{response.request.method} {response.url} was refused ({response.status_code})"
        message = f"{asked}: {detail(response) or self._elsewhere(response)}"
        raise self._unavailable(message) if response.is_server_error else self._refused(message, response)

    def _elsewhere(self, response: httpx.Response) -> str:
        """What an answer is that says nothing as a server of ours does: of another server, or of one before ours."""
        if response.has_redirect_location:
            return f"the server is at {response.headers['Location']}.{self._hint}"
        if "html" in response.headers.get("Content-Type", ""):
            return f"the answer is a web page, and none that {self._name} gives to programs.{self._hint}"
        return response.text[:500]


@contextmanager
def whole_or_nothing(destination: Path) -> Iterator[BufferedRandom]:
    """A file to write and read that becomes `destination` when the block ends without an error."""
    partial = destination.with_name(f".{destination.name}.part")
    try:
        with partial.open("w+b") as file:
            yield file
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)


def bearing(token: str, variable: str) -> dict[str, str]:
    """The header of a request that bears a token; blanks round it are left out.

    Args:
        token: the token.
        variable: where it is from, for the message.

    Raises:
        SettingsError: no header can hold it.
    """
    plain = token.strip()
    if not (plain.isascii() and plain.isprintable()):
        raise SettingsError(f"{variable} has characters that are in no token. Copy it once more.")
    return {"Authorization": f"Bearer {plain}"}


def detail(response: httpx.Response) -> str:
    """What the server says is wrong, with the fields that it names; nothing, if it does not speak as ours do."""
    try:
        said = response.json()
        whole = str(said["detail"])
        unsaid = [each for each in said.get("errors", ()) if each["message"] not in whole]
        return "; ".join([whole, *(f"{each['field']}: {each['message']}" for each in unsaid)])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
