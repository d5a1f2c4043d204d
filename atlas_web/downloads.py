"""Tables as CSV files, for spreadsheets and scripts."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula."""


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """A CSV file of this name to download, sent as its rows are read.

    Numbers have all their digits, and what is not known is an empty cell.
    """
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return StreamingHttpResponse(
        _lines(head, rows), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )


class _Echo:
    """A file that gives back what is written into it."""

    def write(self, line: str) -> str:
        return line


def _lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for row in chain([head], rows):
        yield str(writer.writerow([_cell(value) for value in row]))


def _cell(value: object) -> object:
    """A value as a spreadsheet may show it: text that looks like a formula is marked as text."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
