"""Dataset versions over HTTP: their descriptions, their files, the lists of their events, and how they differ."""

# ruff: noqa: ARG001  (ninja finds the request by its name)

from typing import Annotated

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router

from atlas.datasets import DatasetDescription, Format, Split
from atlas.ingestion import ARROW_MEDIA_TYPE, PARQUET_MEDIA_TYPE, VersionDifference
from ingestion_engine import differences, projection, versions
from ingestion_engine.files import object_response
from ingestion_engine.middleware import FAULTS, Fault
from ingestion_engine.places import object_store

router = Router(tags=["datasets"])
Wanted = Annotated[Format, Query(alias="format")]
MEDIA_TYPES = {Format.ARROW: ARROW_MEDIA_TYPE, Format.PARQUET: PARQUET_MEDIA_TYPE}


@router.get("datasets/{query_id}", response={200: DatasetDescription, **FAULTS})
def get_dataset(request: HttpRequest, query_id: str) -> DatasetDescription:
    """Schema, statistics, digest and files of a version."""
    return versions.dataset(query_id)


@router.get("datasets/{query_id}/data", response={200: None, 416: Fault, **FAULTS})
def get_data(
    request: HttpRequest,
    query_id: str,
    split: Split,
    form: Annotated[Format, Query(alias="format")] = Format.ARROW,
    columns: str = "",
) -> StreamingHttpResponse:
    """The file of a split, with all columns or with those named, between commas, in the version's order.

    Its ETag is the file's sha256; one range of bytes can be asked for. Files that were removed since they were old are
    made again, which takes as long as making the version did.
    """
    dataset, store = versions.dataset(query_id), object_store()
    file = projection.split_file(dataset, split, form)
    key = versions.split_key(file.sha256, form)
    versions.make_sure_of(query_id, key, store)
    if columns:
        key, file = projection.project(store, file, form, projection.chosen(dataset, columns.split(",")))
    return object_response(
        request, store, key, sha256=file.sha256, size_bytes=file.size_bytes, content_type=MEDIA_TYPES[form]
    )


@router.get("datasets/{query_id}/events", response={200: None, 416: Fault, **FAULTS})
def get_listing(request: HttpRequest, query_id: str) -> StreamingHttpResponse:
    """Which events the version holds: an Arrow IPC file with the id of each, and since which revision it was so."""
    store, key = object_store(), versions.listing_key(query_id)
    size_bytes = store.stat(key).size_bytes
    sha256 = key.rpartition("/")[2].removesuffix(".arrow")
    return object_response(request, store, key, sha256=sha256, size_bytes=size_bytes, content_type=ARROW_MEDIA_TYPE)


@router.get("tags/{tag}/difference", response={200: VersionDifference, **FAULTS}, tags=["tags"])
def get_difference(request: HttpRequest, tag: str, older: int, newer: int) -> VersionDifference:
    """What one version of the tag has otherwise than another: events, labels and columns."""
    return differences.difference(versions.tag_named(tag), older, newer, object_store())
