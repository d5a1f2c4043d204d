"""The ingestion engine's addresses."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from ingestion_engine import metrics
from ingestion_engine.api import api
from ingestion_engine.pages import events, recording, recordings, sending, tag, tags, viewer
from telemetry.exposition import exposed
from telemetry.health import ready
from ui.signing_in import SignInForm


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """Answers if the engine serves."""
    return JsonResponse({"status": "ok"})


ABOUT_THE_API = ("openapi-json", "openapi-view")


def _open_to_tokens(urls: tuple[list[Any], str, str]) -> tuple[list[Any], str, str]:
    """The API's addresses: each operation asks by itself who calls. What is told about them stays behind the login."""
    for pattern in urls[0]:
        if pattern.name not in ABOUT_THE_API:
            pattern.callback.login_required = False
    return urls


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="recordings")),
    path("recordings/", recordings.recordings, name="recordings"),
    path("recordings/<str:name>/", recording.recording, name="recording"),
    path("recordings/<str:name>/signals/", viewer.viewer, name="viewer"),
    path("recordings/<str:name>/envelope", viewer.envelope, name="envelope"),
    path("recordings/<str:name>/sound.wav", viewer.sound, name="sound"),
    path("recordings/<str:name>/spectrogram", viewer.spectrogram, name="spectrogram"),
    path("recordings/<str:name>/statistics", viewer.statistics, name="statistics"),
    path("recordings/<str:name>/export", viewer.export, name="export"),
    path("recordings/<str:name>/add/", events.add, name="add-event"),
    path("recordings/<str:name>/events/<path:event>/", events.event, name="event"),
    path("recordings/<str:name>/change/<path:event>/", events.change, name="change-event"),
    path("recordings/<str:name>/delete/<path:event>/", events.delete, name="delete-event"),
    path("send/", sending.send_recording, name="send-recording"),
    path("tags/", tags.tags, name="tags"),
    path("tags/<str:name>/", tag.tag, name="tag"),
    path("new-tag/", tags.new_tag, name="new-tag"),
    path("preview/", tags.preview_query, name="preview"),
    path("versions/<str:query_id>/", tag.version, name="version"),
    path("versions/<str:query_id>/<int:number>/<path:column>.wav", tag.example_sound, name="example-sound"),
    path("login/", LoginView.as_view(authentication_form=SignInForm, redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
    path("api/v1/", _open_to_tokens(api.urls)),
    path("readyz", ready, name="readyz"),
    path("metrics", exposed(metrics.looked_up), name="metrics"),
]
handler400 = "ui.faults.not_understood"
handler403 = "atlas_web.pages.refused.refused"
handler500 = "ui.faults.failed"
