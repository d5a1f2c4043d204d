"""Client of the data ingestion engine. Its methods are the contract that any ingestion engine keeps."""

import hashlib
from pathlib import Path
from typing import BinaryIO, TypeVar

import httpx
from pydantic import Field, ValidationError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from atlas.datasets import DatasetDescription, Split, TagDescription
from atlas.errors import DatasetError, IngestionError, IngestionUnavailableError
from atlas.settings import Settings
from atlas.vocabulary import Document, Name

ARROW_MEDIA_TYPE = "application/vnd.apache.arrow.file"
Answer = TypeVar("Answer", bound=Document)


class IngestionSettings(Settings):
    """Settings of a process that speaks to the ingestion engine."""

    ingestion_url: str = Field("http://127.0.0.1:8100", description="Where the data ingestion engine answers")


class RecordingReceipt(Document):
    """The engine's word that a recording is kept: how many of its events are new."""

    recording: Name
    sha256: str
    events: int
    new: bool


class NewTag(Document):
    """The request for a tag: its name and the query that it stands for."""

    name: Name
    query: str = ""


class IngestionClient:
    """Speaks to the ingestion engine at `url`, such as `http://127.0.0.1:8100`.

    A request that fails because the engine is not reachable is tried again, at most `attempts` times in all.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 30.0, attempts: int = 3) -> None:
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1/", timeout=timeout_seconds)
        self._retrying = Retrying(
            retry=retry_if_exception_type(IngestionUnavailableError),
            stop=stop_after_attempt(attempts),
            wait=wait_exponential(multiplier=0.2, max=5),
            reraise=True,
        )

    def tag(self, name: str) -> TagDescription:
        """The tag and all its versions, oldest first."""
        return self._parse(TagDescription, self._request("GET", f"tags/{name}"))

    def create_tag(self, name: str, query: str = "") -> TagDescription:
        """Name a query; the same name with the same query again changes nothing."""
        body = NewTag(name=name, query=query).model_dump()
        return self._parse(TagDescription, self._request("POST", "tags", json=body))

    def dataset(self, query_id: str) -> DatasetDescription:
        """What is known of one dataset version."""
        return self._parse(DatasetDescription, self._request("GET", f"datasets/{query_id}"))

    def upload_recording(self, path: Path, *, name: str | None = None) -> RecordingReceipt:
        """Send a CSV or Parquet file with one labelled event per row. Sending it twice changes nothing."""
        with path.open("rb") as file:
            files = {"file": (path.name, file, "application/octet-stream")}
            response = self._request("POST", "recordings", data={"name": name or path.stem}, files=files)
        return self._parse(RecordingReceipt, response)

    def download(self, dataset: DatasetDescription, split: Split, destination: Path) -> None:
        """Fetch the Arrow file of a split to `destination`, which exists only if it is complete and right.

        A download that breaks off goes on where it stopped.

        Raises:
            DatasetError: what arrived is not what the description promises.
        """
        partial = destination.with_name(f".{destination.name}.part")
        try:
            with partial.open("w+b") as file:
                self._retrying(self._fetch, f"datasets/{dataset.query_id}/data", split, file)
                file.seek(0)
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 != dataset.splits[split].sha256:
                raise DatasetError(
                    f"The {split} data of {dataset.query_id} has sha256 {sha256}, not {dataset.splits[split].sha256}."
                )
            partial.replace(destination)
        finally:
            partial.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _fetch(self, path: str, split: Split, file: BinaryIO) -> None:
        """Append to the file what it does not have yet."""
        headers = {"Accept": ARROW_MEDIA_TYPE, "Accept-Encoding": "identity"}
        if file.tell():
            headers["Range"] = f"bytes={file.tell()}-"
        try:
            with self._http.stream("GET", path, params={"split": split.value}, headers=headers) as response:
                if not response.is_success:
                    response.read()
                if _checked(response).status_code != httpx.codes.PARTIAL_CONTENT:
                    file.seek(0)
                    file.truncate()
                for chunk in response.iter_bytes():
                    file.write(chunk)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _request(self, method: str, path: str, **arguments: object) -> httpx.Response:
        return self._retrying(self._request_once, method, path, **arguments)

    def _request_once(self, method: str, path: str, **arguments: object) -> httpx.Response:
        try:
            return _checked(self._http.request(method, path, **arguments))  # type: ignore[arg-type]
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: httpx.TransportError) -> IngestionUnavailableError:
        return IngestionUnavailableError(f"The ingestion engine at {self._http.base_url} cannot be reached: {error}")

    @staticmethod
    def _parse(document: type[Answer], response: httpx.Response) -> Answer:
        try:
            return document.model_validate_json(response.content)
        except ValidationError as error:
            raise IngestionError(f"{response.url} answered with something else than a {document.__name__}.") from error


def _checked(response: httpx.Response) -> httpx.Response:
    """The response, if it is a success.

    Raises:
        IngestionUnavailableError: the engine has a fault of its own, which may pass.
        IngestionError: it refused the request; the message is the engine's.
    """
    if response.is_success:
        return response
    kind = IngestionUnavailableError if response.is_server_error else IngestionError
    raise kind(f"{response.request.method} {response.url} was refused ({response.status_code}): {_detail(response)}")


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text[:500]
