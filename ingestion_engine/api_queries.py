"""What helps to write a query: what it selects, which columns there are, and how it may go on."""

# ruff: noqa: ARG001  (ninja finds the request by its name)

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from atlas.ingestion import QueryColumn, QueryPosition, QueryPreview, QuerySuggestions, QueryText
from ingestion_engine import completion
from ingestion_engine.middleware import FAULTS
from ingestion_engine.preview import preview

router = Router(tags=["queries"])


@router.post("queries/preview", response={200: QueryPreview, **FAULTS})
def post_preview(request: HttpRequest, query: QueryText) -> QueryPreview:
    """How many events a query selects now, and how many of each label."""
    return preview(query.query, now=timezone.now())


@router.get("queries/columns", response={200: list[QueryColumn], **FAULTS})
def get_columns(request: HttpRequest) -> list[QueryColumn]:
    """The columns that queries can use, with the most frequent texts in them."""
    return completion.columns()


@router.post("queries/suggestions", response={200: QuerySuggestions, **FAULTS})
def post_suggestions(request: HttpRequest, place: QueryPosition) -> QuerySuggestions:
    """What may stand at a position of a query that is being written."""
    return completion.suggest(place.query, place.position)
