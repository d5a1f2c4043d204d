"""Reports of models: something to hand to people who do not use the dashboard, as HTML and as PDF."""

from atlas_web.reports.building import report
from atlas_web.reports.document import Report
from atlas_web.reports.pages import as_html
from atlas_web.reports.paper import as_pdf

__all__ = ["Report", "as_html", "as_pdf", "report"]
