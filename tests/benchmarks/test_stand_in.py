"""Tests of the stand-in for the ingestion engine, by the client that the engine uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas.datasets import Split, read_arrow
from atlas.errors import IngestionError
from atlas.ingestion import IngestionClient
from benchmarks.stand_in import described, serving
from benchmarks.subjects import Prepared
from tests.servers import free_port


@pytest.fixture
def client(small: Prepared) -> Iterator[IngestionClient]:
    """A client of a stand-in that serves the small subject's data."""
    port = free_port()
    with serving(described("small", small.data, "label"), small.data, port):
        client = IngestionClient(f"http://127.0.0.1:{port}")
        yield client
        client.close()


def test_the_version_that_a_tag_names_can_be_downloaded(
    client: IngestionClient, small: Prepared, tmp_path: Path
) -> None:
    (version,) = client.tag("small").versions
    client.download(client.dataset(version.query_id), Split.EVALUATION, tmp_path / "arrived.arrow")
    assert read_arrow(tmp_path / "arrived.arrow").equals(read_arrow(small.data))


def test_an_unknown_tag_is_refused_with_a_reason(client: IngestionClient) -> None:
    with pytest.raises(IngestionError, match="There is no /api/v1/tags/large"):
        client.tag("large")
