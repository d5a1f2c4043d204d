"""Reports as PDF, set by typst.

The template is ours, and what is reported reaches it as data: typst shows a text of these as it is and takes no part of
it for its markup. It reads no file but those in the template's folder, and no package, as the template names none.
"""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import typst

from atlas_web.reports.document import Block, Report

TEMPLATE = Path(__file__).parent / "template" / "report.typ"


def as_pdf(report: Report) -> bytes:
    """The report as an A4 document; the same report gives the same bytes."""
    return bytes(
        typst.compile(
            str(TEMPLATE),
            root=str(TEMPLATE.parent),
            format="pdf",
            font_paths=[_chart_fonts()],
            ignore_system_fonts=True,
            sys_inputs={"report": json.dumps(document(report))},
            timestamp=int(report.made.timestamp()),
        )
    )


@cache
def _chart_fonts() -> str:
    """The folder of the fonts that charts are drawn with; those of the text are part of typst."""
    import matplotlib as mpl

    return str(Path(mpl.get_data_path()) / "fonts" / "ttf")


def document(report: Report) -> dict[str, Any]:
    """The report as the template takes it: texts, lists of texts, and each block with its kind."""
    return {
        "title": report.title,
        "subtitle": report.subtitle,
        "author": report.author,
        "made": f"{report.made:%d %B %Y, %H:%M} UTC",
        "figures": [asdict(figure) for figure in report.figures],
        "verdicts": [asdict(verdict) for verdict in report.verdicts],
        "summary": list(map(_block, report.summary)),
        "sections": [
            {"title": section.title, "blocks": list(map(_block, section.blocks))} for section in report.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    return {"kind": block.kind, **asdict(block)}
