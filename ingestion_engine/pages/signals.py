"""Parts of a recording's signals for the charts that show them, for the ear, and as files: of any archive."""

import math
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import wraps
from tempfile import TemporaryFile
from typing import Any, Concatenate, ParamSpec

import numpy as np
import numpy.typing as npt
from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from atlas.errors import AtlasError
from bags import export, spectrograms
from bags.archive import MAX_POINTS, Archive, ArchiveError
from bags.export import ExportError, Format
from bags.listening import Listening
from storage.ranges import RangeError, requested_range

MOST_SOUND_BYTES = 1 << 21
"""Of an answer with a part of a sound: the browser asks for the next one when it needs it."""
MOST_EXPORTED = 400_000_000
"""Samples of one export by a page; `atlas bag export` has no such limit."""
LEVELS = 254
"""Steps between the faintest and the strongest level that is sent of a spectrogram."""

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]


class UnfitPartError(AtlasError):
    """What was asked for is no part of the recording."""


class PartForm(forms.Form):
    """A part of a recording; it ends with it at the latest."""

    start = forms.FloatField(min_value=0)
    end = forms.FloatField()

    def __init__(self, data: Any, archive: Archive) -> None:
        super().__init__(data)
        self.names = [(each.name, each.name) for each in archive.channels]
        self.duration = archive.duration_seconds

    def clean(self) -> dict[str, Any]:
        """The part, which ends with the recording at the latest."""
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        if start is not None and end is not None:
            if not (math.isfinite(start) and math.isfinite(end) and start < end):
                self.add_error("end", "It comes after the start.")
            self.cleaned_data["end"] = min(end, max(self.duration, start))
        return self.cleaned_data

    def asked(self) -> dict[str, Any]:
        """What was asked for.

        Raises:
            UnfitPartError: it is wrong; with a sentence for each field.
        """
        if not self.is_valid():
            wrong = (f"{name}: {' '.join(map(str, texts))}" for name, texts in self.errors.items())
            raise UnfitPartError(" ".join(wrong))
        return self.cleaned_data


class WindowForm(PartForm):
    """A part of one channel."""

    channel = forms.ChoiceField()

    def __init__(self, data: Any, archive: Archive) -> None:
        super().__init__(data, archive)
        self.fields["channel"] = forms.ChoiceField(choices=self.names)


class EnvelopeForm(WindowForm):
    """A part of one channel, drawn with at most so many points."""

    points = forms.IntegerField(min_value=2, max_value=MAX_POINTS)


class SpectrogramForm(WindowForm):
    """A part of one channel, drawn with at most so many columns and rows."""

    columns = forms.IntegerField(min_value=1, max_value=spectrograms.MAX_COLUMNS)
    rows = forms.IntegerField(min_value=2, max_value=spectrograms.MAX_ROWS)


class ExportForm(PartForm):
    """A part of some channels, as a file."""

    format = forms.ChoiceField(choices=[(each.value, each.name) for each in Format])

    def __init__(self, data: Any, archive: Archive) -> None:
        super().__init__(data, archive)
        needed = {"required": "Choose at least one."}
        self.fields["channel"] = forms.MultipleChoiceField(choices=self.names, error_messages=needed)


def answers(view: View[Arguments]) -> View[Arguments]:
    """A view's decorator: what cannot be answered becomes a sentence in JSON."""

    @wraps(view)
    def answered(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except RangeError as error:
            return _refused(error, 416, {"Content-Range": f"bytes */{error.size}"})
        except (UnfitPartError, ArchiveError, ExportError) as error:
            return _refused(error, 422, {})
        except AtlasError as error:
            return _refused(error, 503, {})

    return answered


def _refused(error: AtlasError, status: int, headers: dict[str, str]) -> HttpResponse:
    return JsonResponse({"detail": str(error)}, status=status, headers=headers)


def envelope(archive: Archive, asked: dict[str, Any]) -> dict[str, Any]:
    """The lowest and highest values of a channel in each stretch of a part, as an `EnvelopeForm` asks for it."""
    found = archive.envelope(asked["channel"], asked["start"], asked["end"], asked["points"])
    return {"times": _plain(found.times), "minima": _plain(found.minima), "maxima": _plain(found.maxima)}


def envelope_alone(request: HttpRequest, archive: Archive) -> JsonResponse:
    """The same as the answer to a request.

    Raises:
        UnfitPartError: it is no part.
    """
    return JsonResponse(envelope(archive, EnvelopeForm(request.GET, archive).asked()))


def sound(request: HttpRequest, archive: Archive) -> HttpResponseBase:
    """A part of a channel as a WAV file, or a range of its bytes.

    Raises:
        UnfitPartError: it is no part.
        ArchiveError: the channel is no sound.
        RangeError: the range begins behind the end.
    """
    asked = WindowForm(request.GET, archive).asked()
    heard = Listening(archive, asked["channel"], asked["start"], asked["end"])
    part = requested_range(request.headers.get("Range", ""), heard.size_bytes)
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600"}
    if part is None:
        headers["Content-Length"] = str(heard.size_bytes)
        return StreamingHttpResponse(_pieces(heard), content_type="audio/wav", headers=headers)
    part = part[:MOST_SOUND_BYTES]
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{heard.size_bytes}"
    return HttpResponse(heard.read(part.start, part.stop), status=206, content_type="audio/wav", headers=headers)


def _pieces(heard: Listening) -> Iterator[bytes]:
    for first in range(0, heard.size_bytes, MOST_SOUND_BYTES):
        yield heard.read(first, first + MOST_SOUND_BYTES)


def spectrogram(request: HttpRequest, archive: Archive) -> JsonResponse:
    """How strong each frequency is in a part of a channel: a byte a level, row by row from 0 Hz; 0 is missing.

    Raises:
        UnfitPartError: it is no part.
        ArchiveError: it is too short, or the channel has no rate.
    """
    asked = SpectrogramForm(request.GET, archive).asked()
    size = {"columns": asked["columns"], "rows": asked["rows"]}
    found = spectrograms.spectrogram(archive, asked["channel"], asked["start"], asked["end"], **size)
    rows, columns = found.levels.shape
    return JsonResponse(
        {
            "start": found.start_seconds,
            "end": found.end_seconds,
            "highest_hz": found.highest_hz,
            "top_db": found.top_db,
            "range_db": spectrograms.RANGE_DB,
            "is_sampled": found.is_sampled,
            "rows": rows,
            "columns": columns,
            "levels": b64encode(_as_bytes(found)).decode(),
        }
    )


def exported(request: HttpRequest, archive: Archive, name: str) -> HttpResponseBase:
    """A part of some channels as a file, which is called after the recording; a ZIP file of several.

    Raises:
        UnfitPartError: it is no part, or too much for a page.
        ExportError: the format cannot hold it.
    """
    asked = ExportForm(request.GET, archive).asked()
    what = (archive, asked["channel"], asked["start"], asked["end"], Format(asked["format"]))
    groups = export.groups_of(*what)
    samples = sum(len(group.span) * len(group.channels) for group in groups)
    if samples > MOST_EXPORTED:
        raise UnfitPartError(
            f"These are {samples:,} samples; a page exports {MOST_EXPORTED:,} at most. "
            "Choose a shorter part or fewer channels, or use `atlas bag export`."
        )
    file = TemporaryFile(prefix="atlas-export-")  # noqa: SIM115 - the response closes it
    try:
        export.export(*what, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    ending = asked["format"] if len(groups) == 1 else "zip"
    return FileResponse(file, as_attachment=True, filename=f"{name}.{ending}")


def _plain(values: npt.NDArray[Any]) -> list[float | None]:
    """Numbers for JSON, which knows none that is not finite."""
    return [value if math.isfinite(value) else None for value in np.asarray(values, float).tolist()]


def _as_bytes(found: spectrograms.Spectrogram) -> bytes:
    share = (found.levels - (found.top_db - spectrograms.RANGE_DB)) / spectrograms.RANGE_DB
    steps = 1 + np.nan_to_num(np.clip(share, 0, 1) * LEVELS, nan=-1.0)
    return bytes(steps.astype(np.uint8).tobytes())
