"""Examples of a version's events over HTTP: their outlines, and their signals as sound."""

# ruff: noqa: ARG001  (ninja finds the request by its name)

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import Router

from atlas.ingestion import Examples
from ingestion_engine import examples, versions
from ingestion_engine.middleware import FAULTS, Fault
from ingestion_engine.places import object_store
from storage.ranges import requested_range

router = Router(tags=["datasets"])


@router.get("datasets/{query_id}/examples", response={200: Examples, **FAULTS})
def get_examples(request: HttpRequest, query_id: str) -> Examples:
    """A few events of each label, with the outlines of their signals."""
    return examples.read(versions.dataset(query_id).digest, object_store())


@router.get("datasets/{query_id}/examples/{int:number}/{path:column}.wav", response={200: None, 416: Fault, **FAULTS})
def get_example_sound(request: HttpRequest, query_id: str, number: int, column: str) -> HttpResponse:
    """A signal of an example, counted from 0, as WAV: as loud as it can be. One range of bytes can be asked for."""
    sound = examples.wav(versions.dataset(query_id).digest, number, column, object_store())
    wanted = requested_range(request.headers.get("Range", ""), len(sound))
    part = wanted or range(len(sound))
    response = HttpResponse(
        sound[part.start : part.stop],
        status=HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK,
        content_type="audio/wav",
        headers={"Accept-Ranges": "bytes"},
    )
    if wanted:
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(sound)}"
    return response
