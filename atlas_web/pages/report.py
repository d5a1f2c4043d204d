"""The report of one model: as a page to look at, and as files to hand to others."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from atlas_web import reports
from storage import queries

HTML, PDF = "text/html; charset=utf-8", "application/pdf"
ALONE = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser lets the HTML file do that opens it from its address: look as it should, run and load nothing."""


@require_safe
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as a page. `?tag=` says on which dataset tag; without it, on that of the latest results."""
    found = _asked_for(request, pk)
    context = {
        "report": reports.report(found, timezone.now()),
        "model": found.model,
        "crumbs": [("Models", reverse("models")), (found.model.name, reverse("model", args=[pk]))],
        "tag": found.tag,
        "tags": found.tags,
        "query": f"?{urlencode({'tag': found.tag})}" if found.tag else "",
    }
    return render(request, "pages/report.html", context)


@require_safe
def report_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as one HTML file to download."""
    return html_file(_asked_for(request, pk))


@require_safe
def report_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as a PDF file to download."""
    return pdf_file(_asked_for(request, pk))


def _asked_for(request: HttpRequest, pk: int) -> queries.ModelReport:
    tag = request.GET.get("tag", "")
    found = None if "\0" in tag else queries.model_report(pk, tag)
    if found is None:
        raise Http404("There is no such model, its file cannot be used, or it has nothing to do with this tag.")
    return found


def html_file(found: queries.ModelReport) -> HttpResponse:
    """A report as one HTML file."""
    content = reports.as_html(reports.report(found, timezone.now()))
    headers = {**_attachment(found, "html"), "Content-Security-Policy": ALONE}
    return HttpResponse(content, content_type=HTML, headers=headers)


def pdf_file(found: queries.ModelReport) -> HttpResponse:
    """A report as a PDF file."""
    content = reports.as_pdf(reports.report(found, timezone.now()))
    return HttpResponse(content, content_type=PDF, headers=_attachment(found, "pdf"))


def _attachment(found: queries.ModelReport, kind: str) -> dict[str, str]:
    name = f"{found.model.name} on {found.tag}.{kind}"
    return {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "attachment"}
