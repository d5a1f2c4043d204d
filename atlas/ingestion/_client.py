"""Client of the data ingestion engine. Its methods are the contract that any ingestion engine keeps."""

import hashlib
from pathlib import Path

from atlas.connection import Connection, Progress, whole_or_nothing
from atlas.datasets import DatasetDescription, Split, TagDescription
from atlas.errors import DatasetError, IngestionError, IngestionUnavailableError
from atlas.ingestion._documents import ARROW_MEDIA_TYPE, NewTag, RecordingDescription


class IngestionClient:
    """Speaks to the ingestion engine at `url`, such as `http://127.0.0.1:8100`.

    A request that fails because the engine is not reachable is tried again, at most `attempts` times in all.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 30.0, attempts: int = 3) -> None:
        self._connection = Connection(
            url,
            name="The ingestion engine",
            refused=lambda message, _: IngestionError(message),
            unavailable=IngestionUnavailableError,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
        )

    def tag(self, name: str) -> TagDescription:
        """The tag and all its versions, oldest first."""
        return self._connection.ask(TagDescription, "GET", f"tags/{name}")

    def create_tag(self, name: str, query: str = "") -> TagDescription:
        """Name a query; the same name with the same query again changes nothing."""
        body = NewTag(name=name, query=query).model_dump()
        return self._connection.ask(TagDescription, "POST", "tags", json=body)

    def dataset(self, query_id: str) -> DatasetDescription:
        """What is known of one dataset version."""
        return self._connection.ask(DatasetDescription, "GET", f"datasets/{query_id}")

    def upload_recording(self, path: Path, *, name: str | None = None) -> RecordingDescription:
        """Send a CSV or Parquet file with one labelled event per row. Sending it twice changes nothing."""
        with path.open("rb") as file:
            files = {"file": (path.name, file, "application/octet-stream")}
            fields = {"name": name or path.stem}
            return self._connection.ask(RecordingDescription, "POST", "recordings", data=fields, files=files)

    def download(
        self,
        dataset: DatasetDescription,
        split: Split,
        destination: Path,
        *,
        progress: Progress = lambda done, size: None,  # noqa: ARG005 - what it is called with
    ) -> None:
        """Fetch the Arrow file of a split to `destination`, which exists only if it is complete and right.

        A download that breaks off goes on where it stopped.

        Raises:
            DatasetError: what arrived is not what the description promises.
        """
        path, params = f"datasets/{dataset.query_id}/data", {"split": split.value}
        with whole_or_nothing(destination) as file:
            headers = {"Accept": ARROW_MEDIA_TYPE}
            self._connection.fetch(path, file, params=params, headers=headers, progress=progress)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 != dataset.splits[split].sha256:
                raise DatasetError(
                    f"The {split} data of {dataset.query_id} has sha256 {sha256}, not {dataset.splits[split].sha256}."
                )

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
