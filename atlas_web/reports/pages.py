"""Reports as HTML: one file that needs no other, no network and no script."""

from django.template.loader import render_to_string

from atlas_web.reports.document import Report


def as_html(report: Report) -> str:
    """The report as a page of its own."""
    return render_to_string("reports/report.html", {"report": report})
