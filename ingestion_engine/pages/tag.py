"""The page of a tag, and that of a version: what it holds, what it looks and sounds like, and its files."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from atlas.access import Right
from atlas.datasets import DatasetDescription, Split, Statistics
from atlas.errors import AtlasError
from bags.listening import LEAST_SOUND_HZ
from ingestion_engine import differences, examples
from ingestion_engine.models import Tag, Version
from ingestion_engine.pages import shown
from ingestion_engine.pages.tag_forms import schedule
from ingestion_engine.places import object_store
from ui import charts, components, formats
from ui.access import requires

MOST_VALUES = 12
MOST_VERSIONS = 200
DATA = "api-v1:get_data"


@requires(Right.READ)
@require_safe
def tag(request: HttpRequest, name: str) -> HttpResponseBase:
    """The query of a tag, its versions, and what is otherwise in one of two of them: `?older=` and `?newer=`."""
    found = get_object_or_404(Tag, name=name)
    made = list(found.versions.order_by("-number")[:MOST_VERSIONS])
    context = {
        "tag": found,
        "crumbs": [("Tags", reverse("tags"))],
        "facts": _facts_of_tag(found, made),
        "versions": [(each, each.rows - before.rows if before else None) for each, before in _with_earlier(made)],
        **_difference(request, found, made),
    }
    return render(request, "ingestion_engine/tag.html", context)


def _with_earlier(made: list[Version]) -> Iterator[tuple[Version, Version | None]]:
    """Each version, the newest first, with the one before it."""
    return zip(made, [*made, None][1:], strict=True)


def _facts_of_tag(found: Tag, made: list[Version]) -> list[tuple[str, object]]:
    newest = made[0] if made else None
    return [
        ("Versions", formats.num(newest.number if newest else 0, 0)),
        ("Rows", formats.num(newest.rows, 0) if newest else formats.NOTHING),
        ("New versions", schedule(found.every_seconds)),
        ("Looked for", components.when(found.evaluated) if found.evaluated else formats.NOTHING),
        ("Made by", found.created_by or formats.NOTHING),
    ]


def _difference(request: HttpRequest, found: Tag, made: list[Version]) -> dict[str, Any]:
    """What is otherwise in the later of two versions: those that are asked for, else the newest two."""
    if len(made) < 2:
        return {}
    numbers = {"older": made[1].number, "newer": made[0].number}
    for name in numbers:
        asked = request.GET.get(name, "")
        if asked.isascii() and asked.isdigit():
            numbers[name] = int(asked)
    try:
        told = differences.difference(found, numbers["older"], numbers["newer"], object_store())
    except AtlasError as error:
        return {**numbers, "trouble": str(error)}
    return {**numbers, "difference": told, "labels": list(_labels(told.labels_before, told.labels_after))}


def _labels(before: dict[str, int], after: dict[str, int]) -> Iterator[tuple[str, int, int, int]]:
    """Each label with how many rows it had and has, and by how much that differs, the most frequent first."""
    for label in sorted(before | after, key=lambda each: (-max(before.get(each, 0), after.get(each, 0)), each)):
        was, now = before.get(label, 0), after.get(label, 0)
        yield label, was, now, now - was


@requires(Right.READ)
@require_safe
def version(request: HttpRequest, query_id: str) -> HttpResponseBase:
    """What a version holds."""
    found = get_object_or_404(Version.objects.select_related("tag"), query_id=query_id)
    described = DatasetDescription.model_validate_json(found.description)
    context = {
        "version": found,
        "crumbs": [("Tags", reverse("tags")), (found.tag.name, reverse("tag", args=[found.tag.name]))],
        "facts": _facts(found, described),
        "files": list(_files(described)),
        "distributions": list(_distributions(described.statistics)),
        "columns": described.statistics.columns,
        "charts": [(column, _chart(column)) for column in described.statistics.columns if column.histogram],
        "examples": list(_examples(found)),
    }
    return render(request, "ingestion_engine/version.html", context)


@requires(Right.READ)
@require_safe
def example_sound(_request: HttpRequest, query_id: str, number: int, column: str) -> HttpResponse:
    """A signal of an example to listen to."""
    found = get_object_or_404(Version, query_id=query_id)
    try:
        content = examples.wav(found.digest, number, column, object_store())
    except AtlasError as error:
        raise Http404(str(error)) from error
    return HttpResponse(content, content_type="audio/wav", headers={"Cache-Control": "private, max-age=86400"})


def _facts(found: Version, described: DatasetDescription) -> list[tuple[str, object]]:
    evaluation = described.splits[Split.EVALUATION].rows
    share = formats.share(evaluation / described.rows if described.rows else None)
    return [
        ("Rows", formats.num(found.rows, 0)),
        ("For evaluation", f"{formats.num(evaluation, 0)} ({share})"),
        ("Made", components.when(found.created)),
        ("Query id", _to_copy("query-id", found.query_id, found.query_id)),
        ("Digest", _to_copy("digest", formats.short_digest(found.digest), found.digest)),
    ]


def _to_copy(target: str, text: str, whole: str) -> SafeString:
    button = components.copy(target, f"the {target.replace('-', ' ')}")
    return format_html('<span title="{}">{}</span><span id="{}" hidden>{}</span>{}', whole, text, target, whole, button)


def _files(described: DatasetDescription) -> Iterator[tuple[str, str, str, int]]:
    """Each file to download: split, format, address, size."""
    address = reverse(DATA, args=[described.query_id])
    for form, files in (("Arrow", described.splits), ("Parquet", described.parquet)):
        for split, file in files.items():
            query = f"?split={split.value}" + ("" if form == "Arrow" else "&format=parquet")
            yield split.value.capitalize(), form, address + query, file.size_bytes


def _distributions(statistics: Statistics) -> Iterator[tuple[str, list[tuple[str, int, float]], int]]:
    """Title, the most frequent values with their rows and share, and how many values are left out."""
    counts: dict[str, dict[str, int]] = {
        "Labels": statistics.labels,
        "Damage": {str(name): rows for name, rows in (statistics.damage or {}).items()},
        "Cars": statistics.cars,
        "Environments": statistics.environments,
    }
    for title, values in counts.items():
        ordered = sorted(values.items(), key=lambda each: (-each[1], each[0]))
        parts = [(str(name), rows, rows / max(statistics.rows, 1)) for name, rows in ordered[:MOST_VALUES]]
        if parts:
            yield title, parts, len(ordered[MOST_VALUES:])


def _chart(column: Any) -> charts.Histogram:
    return charts.Histogram(axis=column.name, edges=column.histogram.edges, counts=column.histogram.counts)


def _examples(found: Version) -> Iterator[tuple[int, Any, str, list[tuple[charts.Signal, str]]]]:
    """Number, example, its label, and its signals with the address of the sound, if it is one."""
    try:
        events = examples.read(found.digest, object_store()).events
    except AtlasError:
        return
    for number, event in enumerate(events):
        signals = [(_signal(each), _sound(found, number, each)) for each in event.signals]
        yield number, event, shown.label(event.label) or shown.UNLABELLED, signals


def _signal(envelope: Any) -> charts.Signal:
    """An envelope as a line that goes from each minimum to the maximum and on to the next."""
    step = envelope.length / max(len(envelope.minima), 1)
    samples = [round(place * step + half * step / 2) for place in range(len(envelope.minima)) for half in (0, 1)]
    pairs = zip(envelope.minima, envelope.maxima, strict=True)
    values = [float("nan") if value is None else value for pair in pairs for value in pair]
    return charts.Signal(envelope.column, samples, values, envelope.length)


def _sound(found: Version, number: int, envelope: Any) -> str:
    is_sound = (envelope.rate_hz or 0) >= LEAST_SOUND_HZ
    return reverse("example-sound", args=[found.query_id, number, envelope.column]) if is_sound else ""
