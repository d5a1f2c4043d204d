"""Stands in for the ingestion engine: one tag with one version, whose rows lie in a file that was made beforehand."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import file_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from atlas.datasets import (
    DatasetDescription,
    DatasetVersion,
    Split,
    SplitFile,
    Statistics,
    TagDescription,
    columns_of,
    read_arrow,
)
from atlas.ingestion import ARROW_MEDIA_TYPE
from atlas.vocabulary import Document

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def described(tag: str, data: Path, target: str) -> DatasetDescription:
    """The only version of a tag: the file's rows are all for evaluation."""
    table = read_arrow(data)
    with data.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    split = SplitFile(rows=table.num_rows, size_bytes=data.stat().st_size, sha256=digest)
    return DatasetDescription(
        query_id=f"{tag}-v1",
        tag=tag,
        number=1,
        digest=digest,
        rows=table.num_rows,
        created=CREATED,
        target=target,
        columns=columns_of(table.schema),
        statistics=Statistics(rows=table.num_rows, labels={}, cars={}, environments={}, columns=()),
        splits={Split.EVALUATION: split},
    )


@contextmanager
def serving(description: DatasetDescription, data: Path, port: int) -> Iterator[None]:
    """Answers at that port of 127.0.0.1 as an ingestion engine would, while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(description, data))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(description: DatasetDescription, data: Path) -> type[BaseHTTPRequestHandler]:
    documents = {
        f"/api/v1/tags/{description.tag}": _tag(description),
        f"/api/v1/datasets/{description.query_id}": description,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path in documents:
                self._answer(200, documents[path].model_dump_json().encode())
            elif path == f"/api/v1/datasets/{description.query_id}/data":
                self._send_data()
            else:
                self._answer(404, json.dumps({"detail": f"There is no {path}"}).encode())

        def _answer(self, status: int, content: bytes) -> None:
            self._head(status, "application/json", len(content))
            self.wfile.write(content)

        def _send_data(self) -> None:
            self._head(200, ARROW_MEDIA_TYPE, data.stat().st_size)
            with data.open("rb") as file:
                shutil.copyfileobj(file, self.wfile, 1 << 20)

        def _head(self, status: int, media_type: str, size: int) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(size))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    return Handler


def _tag(description: DatasetDescription) -> Document:
    version = DatasetVersion.model_validate(
        description.model_dump(include={"query_id", "number", "digest", "rows", "created"})
    )
    return TagDescription(name=description.tag, query="", versions=(version,))
