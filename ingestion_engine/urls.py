"""The ingestion engine's addresses."""

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.generic import RedirectView

from ingestion_engine.api import api
from ingestion_engine.models import Ledger


def healthz(_request: HttpRequest) -> JsonResponse:
    """Answers if the engine serves and its tables are there."""
    Ledger.objects.exists()
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="api-v1:openapi-view")),
    path("healthz", healthz),
    path("api/v1/", api.urls),
]
