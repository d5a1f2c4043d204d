"""Client of the data ingestion engine. Its methods are the contract that any ingestion engine keeps."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from atlas.connection import Progress, whole_or_nothing
from atlas.datasets import DatasetDescription, Format, Split, TagDescription
from atlas.errors import DatasetError
from atlas.ingestion._connected import address, silent
from atlas.ingestion._documents import (
    ARROW_MEDIA_TYPE,
    PARQUET_MEDIA_TYPE,
    NewTag,
    QueryColumn,
    QueryPreview,
    VersionDifference,
)
from atlas.ingestion._examples import Examples
from atlas.ingestion._recordings import RecordingCalls

MEDIA_TYPES = {Format.ARROW: ARROW_MEDIA_TYPE, Format.PARQUET: PARQUET_MEDIA_TYPE}


class IngestionClient(RecordingCalls):
    """Speaks to the ingestion engine at `url`, such as `http://127.0.0.1:8100`, signed in with `token`.

    Every method raises IngestionError when the engine refuses, with its words, and IngestionUnavailableError when it
    cannot be reached; that is tried again first, at most `attempts` times in all.
    """

    # Queries and tags -----------------------------------------------------------------------------------------------

    def preview(self, query: str) -> QueryPreview:
        """What a query would select now."""
        return self._connection.ask(QueryPreview, "POST", "queries/preview", json={"query": query})

    def columns(self) -> list[QueryColumn]:
        """The columns that queries can use."""
        return self._list(QueryColumn, "queries/columns")

    def tags(self) -> list[TagDescription]:
        """All tags by name."""
        return self._list(TagDescription, "tags")

    def tag(self, name: str) -> TagDescription:
        """The tag and all its versions, oldest first."""
        return self._connection.ask(TagDescription, "GET", address("tags", name))

    def create_tag(self, name: str, query: str = "", *, every_seconds: int | None = None) -> TagDescription:
        """Name a query; the same name with the same query again changes nothing.

        `every_seconds` is how often the engine looks for a new version; without it, whenever the data change.
        """
        body = NewTag(name=name, query=query, every_seconds=every_seconds).model_dump(exclude_none=True)
        return self._connection.ask(TagDescription, "POST", "tags", json=body)

    # Dataset versions -----------------------------------------------------------------------------------------------

    def difference(self, tag: str, older: int, newer: int) -> VersionDifference:
        """What one version of a tag has otherwise than another; both by number."""
        params = {"older": older, "newer": newer}
        return self._connection.ask(VersionDifference, "GET", address("tags", tag, "difference"), params=params)

    def dataset(self, query_id: str) -> DatasetDescription:
        """What is known of one dataset version."""
        return self._connection.ask(DatasetDescription, "GET", address("datasets", query_id))

    def examples(self, query_id: str) -> Examples:
        """A few events of each label of a version."""
        return self._connection.ask(Examples, "GET", address("datasets", query_id, "examples"))

    def download(
        self,
        dataset: DatasetDescription,
        split: Split,
        destination: Path,
        *,
        form: Format = Format.ARROW,
        columns: Sequence[str] = (),
        progress: Progress = silent,
    ) -> None:
        """Fetch the file of a split to `destination`, which exists only if it is complete and right.

        A download that breaks off goes on where it stopped.

        Args:
            dataset: the version.
            split: which part of it.
            destination: where the file shall be.
            form: what it is written in.
            columns: only these, if any are given; then nothing but the length is checked.
            progress: is told how much of it has arrived.

        Raises:
            DatasetError: what arrived is not what the description promises, or it promises no such file.
        """
        params = {"split": split.value}
        if form is not Format.ARROW:
            params["format"] = form.value
        if columns:
            params["columns"] = ",".join(columns)
        files = dataset.splits if form is Format.ARROW else dataset.parquet
        if split not in files:
            raise DatasetError(f"{dataset.query_id} has no {form} file of its {split} data.")
        path, headers = address("datasets", dataset.query_id, "data"), {"Accept": MEDIA_TYPES[form]}
        with whole_or_nothing(destination) as file:
            self._connection.fetch(path, file, params=params, headers=headers, progress=progress)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if not columns and sha256 != files[split].sha256:
                raise DatasetError(
                    f"The {split} data of {dataset.query_id} has sha256 {sha256}, not {files[split].sha256}."
                )
