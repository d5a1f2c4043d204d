"""What came of a request for predictions: the table of rows, and why one row was predicted so."""

import json
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from atlas.access import Right
from atlas.errors import AtlasError
from atlas.states import State
from atlas_web import evidence, files, inferred, words
from atlas_web.downloads import csv_file
from atlas_web.figures import Subject
from atlas_web.inferred import Line, Lines
from atlas_web.objects import content
from atlas_web.pages import trouble
from atlas_web.pages.prediction_history import of_what
from atlas_web.signals import told_apart
from atlas_web.why import Why, why_of
from explainability import explained
from storage import queries
from ui import components, formats
from ui.access import requires

ROWS = 50
"""So many rows are on a page."""
POLL_SECONDS = 1
"""How often the page asks for itself before there are predictions."""
UNFINISHED = {State.QUEUED, State.RUNNING}
NOT_EXPLAINED = "This row was not explained: the first {} are."


@requires(Right.READ)
@require_safe
def inference(request: HttpRequest, pk: int) -> HttpResponse:
    """How far predictions are; then, their rows."""
    page = _page(pk)
    row = page.inference
    context: dict[str, Any] = {
        "inference": row,
        "page": page,
        "crumbs": _crumbs(),
        "facts": _facts(page),
        "unfinished": row.state in UNFINISHED,
        "again": _again(row),
        "poll": POLL_SECONDS if row.state in UNFINISHED else None,
        "paused": queries.pause() if row.state == State.QUEUED else None,
    }
    if row.state != State.DONE:
        return render(request, "pages/inference.html", context)
    try:
        lines = lines_of(page)
    except AtlasError as error:
        return render(request, "pages/inference.html", context | {"problem": trouble.reason(error)})
    shown = Paginator(lines, ROWS).get_page(request.GET.get("page"))
    first = lines[0]
    context |= {
        "about": _about(page),
        "shown": shown,
        "has_truth": "truth" in lines.table.column_names,
        "has_confidence": first.confidence is not None,
        "has_split": "split" in lines.table.column_names,
        "outside": page.document.out_of_range if page.document else (),
    }
    return render(request, "pages/inference.html", context)


@requires(Right.READ)
@require_safe
def inference_row(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One row: what was predicted, and why."""
    page = _page(pk)
    try:
        lines = lines_of(page)
    except AtlasError as error:
        told = {"title": f"Row {number}", "crumbs": _crumbs(page), "reason": trouble.reason(error)}
        return render(request, "pages/trouble.html", told)
    if not 0 < number <= len(lines):
        raise Http404
    line = lines[number - 1]
    context = {
        "inference": page.inference,
        "line": line,
        "crumbs": _crumbs(page),
        "facts": _row_facts(line),
        "verdict": _verdict(line),
        "why": _why(page, line),
        "outside": _outside(page, line),
        "before": number - 1,
        "after": number + 1 if number < len(lines) else 0,
        "has_rows": line.is_explained and page.inference.events_key,
    }
    return render(request, "pages/inference_row.html", context)


@requires(Right.READ)
@require_safe
def inference_values(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The values of one row that was explained, to be put into its page."""
    page = _page(pk)
    try:
        line = lines_of(page)[number - 1 : number]
        row = evidence.row_with_id(content(page.inference.events_key), line[0].id) if line else None
    except AtlasError as error:
        return render(request, "pages/parts/signals.html", {"problem": trouble.reason(error)})
    context = {"columns": told_apart(row)} if row else {"problem": "The values of this row were not kept."}
    return render(request, "pages/parts/signals.html", context)


@requires(Right.READ)
@require_safe
def inference_file(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """All predictions as a file: Parquet as the engine wrote it, CSV, or JSON."""
    page = _page(pk)
    name = f"{page.inference.model.name}-predictions-{pk}"
    if not page.inference.predictions_key or kind not in {"parquet", "csv", "json"}:
        raise Http404
    if kind == "parquet":
        key = page.inference.predictions_key
        return trouble.or_file(request, key, filename=f"{name}.parquet", media_type=files.PARQUET)
    try:
        rows = list(inferred.as_records(lines_of(page)))
    except AtlasError as error:
        return HttpResponse(trouble.reason(error), status=503, content_type="text/plain")
    if kind == "csv":
        return csv_file(f"{name}.csv", list(rows[0]), ([_cell(value) for value in row.values()] for row in rows))
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.json") or "attachment"
    headers = {"Content-Disposition": disposition}
    return HttpResponse(json.dumps(rows), content_type="application/json", headers=headers)


def lines_of(page: queries.InferencePage) -> Lines:
    """The rows of predictions that were made.

    Raises:
        InferredError: there are none, or the file holds none.
        AtlasError: the object cannot be read, as `atlas_web.objects.content` says.
    """
    if page.document is None:
        raise inferred.InferredError("There are no predictions yet.")
    return inferred.read(content(page.inference.predictions_key), page.document)


def _again(shown: Any) -> str:
    """What the page that asks begins with, to ask the same of another model; rows of a file are sent anew."""
    asked = {"model": shown.model.name, "source": "file"}
    if shown.dataset_version:
        version = f"{shown.dataset_version.tag.name}:{shown.dataset_version.number}"
        asked |= {"source": "dataset", "dataset": version}
    if shown.recording:
        asked |= {"source": "recording", "recording": shown.recording}
    return urlencode(asked)


def _page(pk: int) -> queries.InferencePage:
    found = queries.inference_page(pk)
    if found is None:
        raise Http404
    return found


def _crumbs(page: queries.InferencePage | None = None) -> list[tuple[str, str]]:
    crumbs = [("Predict", reverse("predict")), ("History", reverse("inferences"))]
    if page is None:
        return crumbs
    shown = page.inference
    return [
        *crumbs,
        (f"{words.short_name(shown.model.name)} on {of_what(shown)}", reverse("inference", args=[shown.pk])),
    ]


def _facts(page: queries.InferencePage) -> list[tuple[str, object]]:
    shown = page.inference
    facts: list[tuple[str, object]] = [("Of", of_what(shown)), ("Asked by", f"{shown.by}")]
    facts.append(("Asked", components.when(shown.asked)))
    if shown.rows is not None:
        facts.append(("Rows", formats.num(shown.rows, 0)))
    if shown.started and shown.finished and shown.state == State.DONE:
        facts.append(("Took", formats.duration((shown.finished - shown.started).total_seconds())))
    return facts


def _about(page: queries.InferencePage) -> str:
    """What the table of rows says of the explanation."""
    found = page.document.explanation if page.document else None
    if found is None or not found.available:
        return f"Not explained. {found.impossible}" if found else ""
    return f"A row's page says why. {words.plural(found.rows, 'row')} of {formats.num(found.of_rows, 0)} explained."


def _row_facts(line: Line) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [("Predicted", words.told(line.predicted))]
    if line.confidence is not None:
        facts.append(("Confidence", formats.share(line.confidence)))
    if line.truth is not None:
        facts.append(("Label", words.told(line.truth)))
    if line.in_training:
        facts.append(("Split", "training"))
    return facts


def _verdict(line: Line) -> str:
    sure = f", with a confidence of {formats.share(line.confidence, 0)}" if line.confidence is not None else ""
    return f"Predicted as {words.told(line.predicted)}{sure}."


def _why(page: queries.InferencePage, line: Line) -> Why:
    """Why a row was predicted so, or why that is not known."""
    document = page.document
    if document is None or not document.explanation.available:
        return Why(problem=f"There is no explanation. {document.explanation.impossible if document else ''}".strip())
    if not line.is_explained:
        return Why(problem=NOT_EXPLAINED.format(formats.num(document.explanation.rows, 0)))
    key = page.inference.values_key
    subject = Subject(whose=None, explanation=document.explanation, output=0, read=cache(lambda: _explained(key)))
    return why_of(subject, line.id)


def _explained(key: str) -> explained.Explained:
    return explained.read(content(key))


def _outside(page: queries.InferencePage, line: Line) -> list[str]:
    """What is new about a row's values, a sentence a column."""
    found = page.document.out_of_range if page.document else ()
    return [f"{each.column} (known: {each.known})" for each in found if each.column in line.outside]


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
