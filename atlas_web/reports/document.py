"""A report as a document: what is said, in which order, without a word of how it looks.

All texts are plain texts of people and models, which may hold anything: whoever writes a document as a file escapes
them.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

Tone = Literal["good", "bad", "warn", "info"]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms and what they are. Those in `exact` are digests and the like, of which each character counts."""

    kind: ClassVar[str] = "facts"

    rows: Sequence[tuple[str, str]]
    exact: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        title: what it tells; empty where the section's title says it.
        head: the names of the columns.
        rows: the cells.
        names: how many of the first columns are texts; the others are numbers.
        marked: the place of a row that the report is about; -1 if there is none.
        note: how it is read.
    """

    kind: ClassVar[str] = "table"

    title: str = ""
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: int = 1
    marked: int = -1
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart: an SVG, what it shows, and that in words for those who cannot see it."""

    kind: ClassVar[str] = "picture"

    title: str
    svg: str
    label: str
    note: str = ""

    @property
    def address(self) -> str:
        """The SVG itself as an address, for pages: in it, no text of the chart can become a part of the page."""
        return f"data:image/svg+xml;base64,{b64encode(self.svg.encode()).decode()}"


Block = Text | Facts | Table | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the details."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of the summary: its name, its value, and what one has to know beside it."""

    title: str
    value: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding in words, and whether it is good news."""

    tone: Tone
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The report of one model on one dataset tag.

    Attributes:
        title: the model's name.
        subtitle: what it is for, and on which data it is measured.
        author: who made the model.
        made: when the report was written, in UTC.
        figures: the numbers of the summary.
        verdicts: its findings, the most important first.
        summary: what else is on its first page.
        sections: the details.
    """

    title: str
    subtitle: str
    author: str
    made: datetime
    figures: Sequence[Figure]
    verdicts: Sequence[Verdict]
    summary: Sequence[Block]
    sections: Sequence[Section]
