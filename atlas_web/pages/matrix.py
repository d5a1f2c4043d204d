"""The matrix: every model on every dataset version, with what is missing and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from atlas.states import CellState, ComponentState
from atlas_web import cells, words
from atlas_web.choices import SIZES, Choices, Part, metric_field, same, search_field, select
from atlas_web.downloads import csv_file
from storage import queries
from ui import components, formats
from ui.foot import Foot

STATES = {
    CellState.DONE: "Done",
    CellState.STALE: "Stale",
    CellState.QUEUED: "Queued",
    CellState.RUNNING: "Running",
    CellState.FAILED: "Failed",
    CellState.INCOMPATIBLE: "Not possible",
    CellState.CANCELLED: "Cancelled",
    CellState.MISSING: "No benchmark yet",
}
"""The states to which the matrix can be narrowed."""
MOST_IN_A_FILE = 1_000
"""How many models a CSV file holds."""


class MatrixChoices(Choices):
    """The search and the selects above the matrix."""

    q = search_field("Search models", "Find by name")

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        states = [(state.value, text) for state, text in STATES.items()]
        self.fields["use_case"] = select("Use case", "All use cases", same(queries.use_cases()))
        self.fields["tag"] = select("Dataset tag", "All tags", same(queries.tags()))
        self.fields["author"] = select("Author", "All authors", same(queries.authors()))
        self.fields["metric"] = metric_field()
        self.fields["state"] = select("State", "Any state", states)

    @property
    def wanted(self) -> queries.MatrixFilter:
        """What the matrix is narrowed to."""
        state = self.chosen("state")
        return queries.MatrixFilter(
            text=self.chosen("q"),
            use_case=self.chosen("use_case"),
            tag=self.chosen("tag"),
            author=self.chosen("author"),
            metric=self.chosen("metric"),
            state=CellState(state) if state else None,
        )


class MatrixPart(Part):
    """Which models and versions are shown, and whether as scores or as changes."""

    versions = forms.IntegerField(min_value=1, required=False)
    show = forms.ChoiceField(choices=[("change", "Change")], required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column's head."""

    text: str
    href: str
    created: datetime
    starts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The models of a use case that share a metric, and the range of their scores."""

    use_case: str
    metric: str
    rows: list[tuple[SafeString, list[tuple[bool, SafeString]]]]
    """For each model its name, and its cells, each with whether it begins a dataset tag."""


def matrix(request: HttpRequest) -> HttpResponseBase:
    """Models by dataset versions. `?versions=` chooses which, from the newest, 1, on; `?show=change` shows changes."""
    choices, part = MatrixChoices(request.GET), MatrixPart(request.GET)
    window = part.chosen("versions") or 1
    if part.as_csv:
        return _file(queries.matrix(choices.wanted, size=MOST_IN_A_FILE, window=window))
    found = queries.matrix(choices.wanted, page=part.number, size=part.size, window=window)
    view = _view(found, changes=bool(part.chosen("show")))
    context = {
        "form": choices,
        "found": found,
        "view": view,
        "tags": _tags(found.columns),
        "heads": _heads(found.columns),
        "groups": _groups(found, view),
        "foot": Foot(found.models, found.page, SIZES, part.size, ("model", "models")),
        "window": _window(found),
        "narrowed": any(request.GET.get(name) for name in choices.fields),
        "legend": _LEGEND,
    }
    return render(request, "pages/matrix.html", context)


_LEGEND = tuple(
    components.STATES[state.value]
    for state in (CellState.QUEUED, CellState.RUNNING, CellState.FAILED, CellState.INCOMPATIBLE, CellState.CANCELLED)
)


def _view(found: queries.Matrix, *, changes: bool) -> cells.View:
    paused = queries.pause()
    return cells.View(
        changes=changes,
        why_missing=_why_missing(),
        why_waiting=f"The queue is paused by {paused.by}." if paused else "",
        largest=cells.largest_changes(found.rows),
    )


def _why_missing() -> str:
    """Why there is no benchmark where there should be one: either nobody can plan it, or it will be planned."""
    known = {component.name: component for component in queries.components(timezone.now(), queued=0)}
    engine = known["engine"]
    if engine.state is None:
        return "No benchmark yet: the engine has never run. It plans one once it does."
    if engine.state is ComponentState.DOWN:
        return "No benchmark yet: the engine is down. It plans one once it runs again."
    return "No benchmark yet: the engine plans one when it looks next."


def _tags(columns: tuple[queries.MatrixColumn, ...]) -> list[tuple[str, str, int]]:
    """Each tag's name, its address, and how many columns it has."""
    return [
        (tag, reverse("dataset", args=[tag]), len(list(versions)))
        for tag, versions in groupby(columns, key=lambda column: column.tag)
    ]


def _starts(columns: tuple[queries.MatrixColumn, ...]) -> list[bool]:
    """Whether each column is the first one of its tag."""
    return [place == 0 or columns[place - 1].tag != column.tag for place, column in enumerate(columns)]


def _heads(columns: tuple[queries.MatrixColumn, ...]) -> list[Head]:
    return [
        Head(
            text=f"v{column.number}",
            href=f"{reverse('dataset', args=[column.tag])}?version={column.number}",
            created=column.created,
            starts=starts,
        )
        for column, starts in zip(columns, _starts(columns), strict=True)
    ]


def _groups(found: queries.Matrix, view: cells.View) -> list[Group]:
    """The rows, by use case and metric."""
    starts = _starts(found.columns)
    return [
        Group(
            use_case=use_case,
            metric=_range(metric, found, use_case),
            rows=[_row(row, found, view, starts) for row in rows],
        )
        for (use_case, metric), rows in groupby(found.rows, key=lambda row: (row.use_case, row.metric))
    ]


def _range(metric: str, found: queries.Matrix, use_case: str) -> str:
    """A metric's name, and from where to where its colours go."""
    scale, title = found.scales.get((use_case, metric)), words.metric_title(metric)
    return f"{title}, {formats.num(scale.worst)} to {formats.num(scale.best)}" if scale else title


def _row(
    row: queries.MatrixRow, found: queries.Matrix, view: cells.View, starts: list[bool]
) -> tuple[SafeString, list[tuple[bool, SafeString]]]:
    name = components.model(row.name, reverse("model", args=[row.model]))
    shown = [
        cells.shown(row, column, cell, view).render() for column, cell in zip(found.columns, row.cells, strict=True)
    ]
    return name, list(zip(starts, shown, strict=True))


def _window(found: queries.Matrix) -> dict[str, Any] | None:
    """Which versions are shown, if not all of them."""
    if found.windows == 1:
        return None
    first = (found.window - 1) * queries.WINDOW
    return {
        "first": first + 1,
        "last": first + len(found.columns),
        "total": found.versions,
        "newer": found.window - 1,
        "older": found.window + 1 if found.window < found.windows else None,
    }


_HEAD = (
    *("model", "use case", "author", "tag", "version", "state", "metric", "value", "low", "high"),
    *("change", "earlier version", "best", "reason", "benchmark"),
)


def _file(found: queries.Matrix) -> HttpResponseBase:
    return csv_file("matrix.csv", _HEAD, _lines(found))


def _lines(found: queries.Matrix) -> Iterator[tuple[object, ...]]:
    """A line for each cell that the model asks for."""
    for row in found.rows:
        for column, cell in zip(found.columns, row.cells, strict=True):
            if cell.state is not CellState.UNASKED:
                yield (
                    *(row.name, row.use_case, row.author, column.tag, column.number, cell.state.value, row.metric),
                    *(cell.score.value, cell.score.low, cell.score.high, cells.change(cell), cell.earlier_number),
                    *(cell.is_best, cell.reason, cell.benchmark),
                )
