"""The viewer's page for one local file, with nobody to sign in and no database."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_safe

from bags.export import ExportError
from ingestion_engine.pages import opened, signals

SETTING = "ATLAS_OPENED"
"""The Django setting that holds the file, as `Opened`."""


def _opened() -> opened.Opened:
    found: opened.Opened = getattr(settings, SETTING)
    return found


@require_safe
def viewer(request: HttpRequest) -> HttpResponseBase:
    """The file's sensors, their signals over time, and what they are like."""
    return opened.page(request, _opened())


@require_safe
@signals.answers
def envelope(request: HttpRequest) -> HttpResponseBase:
    """The lowest and highest values of a channel in each stretch of a part of it."""
    return signals.envelope_alone(request, _opened().archive)


@require_safe
@signals.answers
def sound(request: HttpRequest) -> HttpResponseBase:
    """A part of a channel as a WAV file."""
    return signals.sound(request, _opened().archive)


@require_safe
@signals.answers
def spectrogram(request: HttpRequest) -> HttpResponseBase:
    """How strong each frequency is in a part of a channel."""
    return signals.spectrogram(request, _opened().archive)


@require_safe
@signals.answers
def statistics(request: HttpRequest) -> HttpResponseBase:
    """A part of the page: what each channel is like, and what is missing."""
    return opened.statistics(request, _opened().archive)


@require_safe
@signals.answers
def export(request: HttpRequest) -> HttpResponseBase:
    """A part of some channels as a file; or the page, with what is wrong."""
    found = _opened()
    try:
        return signals.exported(request, found.archive, found.name)
    except (signals.UnfitPartError, ExportError) as error:
        return opened.page(request, found, problem=str(error), status=422)


urlpatterns = [
    path("", viewer, name="viewer"),
    path("envelope", envelope, name="envelope"),
    path("sound.wav", sound, name="sound"),
    path("spectrogram", spectrogram, name="spectrogram"),
    path("statistics", statistics, name="statistics"),
    path("export", export, name="export"),
]
