"""How the cells of the matrix look and what they say. Pure functions of what `queries.matrix` found."""

from dataclasses import dataclass

from django.urls import reverse

from atlas.ranking import is_worse, within_noise
from atlas.states import CellState, FailureClass
from atlas_web import words
from storage.queries import MatrixCell, MatrixColumn, MatrixRow
from ui import formats
from ui.components import STATES
from ui.heat import HeatCell

CHANGE_STEPS = 3
"""How many colours a change has in either direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How the cells are shown.

    Attributes:
        changes: whether they show changes since the version before, instead of scores.
        why_missing: why there are no benchmarks yet, as a sentence.
        why_waiting: why those that are queued wait, if there is more to say.
        largest: the largest change of each use case and metric, for the colours.
    """

    changes: bool
    why_missing: str
    why_waiting: str
    largest: dict[tuple[str, str], float]


def change(cell: MatrixCell) -> float | None:
    """By how much the score differs from that on the version before."""
    if not (cell.score.is_ranked and cell.earlier.is_ranked):
        return None
    return words.difference(cell.score.value, cell.earlier.value)


def more_than_noise(cell: MatrixCell) -> bool:
    """Whether the change is more than noise."""
    return bool(change(cell)) and within_noise(cell.score, cell.earlier) is False


def worse(cell: MatrixCell) -> bool:
    """Whether the score is worse than that on the version before, by more than noise."""
    now, earlier = cell.score.value, cell.earlier.value
    if now is None or earlier is None or not more_than_noise(cell):
        return False
    return is_worse(now, earlier, greater_is_better=cell.greater_is_better)


def largest_changes(rows: tuple[MatrixRow, ...]) -> dict[tuple[str, str], float]:
    """The largest change, more than noise, of each use case and metric."""
    largest: dict[tuple[str, str], float] = {}
    for row in rows:
        changes = [abs(change(cell) or 0.0) for cell in row.cells if more_than_noise(cell)]
        group = (row.use_case, row.metric)
        largest[group] = max([largest.get(group, 0.0), *changes])
    return largest


def shown(row: MatrixRow, column: MatrixColumn, cell: MatrixCell, view: View) -> HeatCell:
    """One cell."""
    title = "\n".join([f"{words.short_name(row.name)} on {column.tag} v{column.number}", *_lines(row, cell, view)])
    page = "why" if view.changes and worse(cell) else "benchmark"
    href = reverse(page, args=[cell.benchmark]) if cell.benchmark else ""
    if cell.state in (CellState.DONE, CellState.STALE) and cell.score.is_ranked:
        look = _change_look(row, cell, view) if view.changes else (f"q{cell.step}", formats.num(cell.score.value), "")
        marks = ("is-best" * cell.is_best, "is-drop" * worse(cell), "is-stale" * (cell.state is CellState.STALE))
        css, text, glyph = look
        return HeatCell(text=text, title=title, css=" ".join(filter(None, (css, *marks))), href=href, glyph=glyph)
    return _sign(cell, title, href)


def _change_look(row: MatrixRow, cell: MatrixCell, view: View) -> tuple[str, str, str]:
    """The class, the text and the arrow of a change."""
    by = change(cell)
    text = formats.num(by, sign=True)
    largest = view.largest.get((row.use_case, row.metric), 0.0)
    if by is None or not more_than_noise(cell) or not largest:
        return "q0", text, ""
    step = min(1 + int(CHANGE_STEPS * abs(by) / largest), CHANGE_STEPS)
    return f"{'w' if worse(cell) else 'b'}{step}", text, "arrow-up" if by > 0 else "arrow-down"


def _sign(cell: MatrixCell, title: str, href: str) -> HeatCell:
    """A cell without a score."""
    if cell.state is CellState.MISSING:
        return HeatCell(text=formats.NOTHING, title=title, css="glyph is-none is-idle", spoken="no benchmark yet")
    if cell.state is CellState.UNASKED:
        return HeatCell(text="·", title=title, css="glyph is-none is-idle", spoken="not asked for")
    if cell.state in (CellState.DONE, CellState.STALE):
        return HeatCell(text=formats.NOTHING, title=title, css="glyph is-idle", href=href, spoken="no value")
    look = STATES[cell.state.value]
    hatched = " is-hatched" if cell.state is CellState.INCOMPATIBLE else ""
    percent = formats.share(cell.progress, 0) if cell.state is CellState.RUNNING and cell.progress is not None else ""
    css = f"glyph is-{look.tone}{hatched}"
    return HeatCell(text=percent, title=title, css=css, href=href, glyph=look.glyph, spoken=look.text)


def _lines(row: MatrixRow, cell: MatrixCell, view: View) -> list[str]:
    """What a cell says on hover, below its model and dataset version."""
    return [line for line in (*_score_lines(row, cell), *_state_lines(row, cell, view)) if line]


def _score_lines(row: MatrixRow, cell: MatrixCell) -> list[str]:
    if cell.score.value is None:
        return []
    score, title = cell.score, words.metric_title(row.metric)
    known = score.low is not None and score.high is not None
    interval = f" [{formats.num(score.low)}, {formats.num(score.high)}]" if known else ", no interval"
    best = "Best of the use case on this version." if cell.is_best else ""
    return [f"{title} {formats.num(score.value)}{interval}", _change_line(cell), best]


def _change_line(cell: MatrixCell) -> str:
    by = change(cell)
    if by is None:
        return ""
    noise = within_noise(cell.score, cell.earlier)
    meaning = "" if noise is None else ": within noise" if noise else ": more than noise"
    return f"{formats.num(by, sign=True)} since v{cell.earlier_number}{meaning}"


def _state_lines(row: MatrixRow, cell: MatrixCell, view: View) -> list[str]:
    if cell.state is CellState.STALE:
        return [_why_stale(row)]
    if cell.state is CellState.MISSING:
        return [view.why_missing]
    if cell.state is CellState.UNASKED:
        return ["The model does not name this dataset tag."]
    word = "" if cell.state is CellState.DONE else STATES[cell.state.value].text
    failure = f": {FailureClass(cell.failure_class).value}" if cell.failure_class else ""
    waiting = view.why_waiting if cell.state is CellState.QUEUED else ""
    return [f"{word}{failure}", cell.reason, waiting]


def _why_stale(row: MatrixRow) -> str:
    if row.replaced:
        return f"Stale: {row.replaced}"
    return "Stale: it is queued again, and this is its result so far."
