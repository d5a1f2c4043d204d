"""What changed in the data: of a dataset over its versions, and for a model since it was trained."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from atlas.access import Right
from atlas_web import drift_table, drifted
from atlas_web.choices import SIZES, Part, same
from atlas_web.drift_measures import DISTANCES, Measure, measure_called
from atlas_web.drift_table import Detail, Key
from storage import queries
from storage.queries import DriftHistory, DriftPoint, Since
from ui.access import requires
from ui.foot import Foot


class DriftPart(Part):
    """Which versions and columns are shown, by which measure, and which of the cells in full."""

    since = forms.ChoiceField(choices=[(each.value, each.value) for each in Since], required=False)
    measure = forms.ChoiceField(choices=[(each.name, each.title) for each in DISTANCES], required=False)
    versions = forms.IntegerField(min_value=1, required=False)
    version = forms.IntegerField(min_value=0, required=False)
    column = forms.CharField(max_length=600, required=False)
    tag = forms.CharField(max_length=128, required=False)

    @property
    def measured_by(self) -> Measure:
        """The measure of the table."""
        return measure_called(self.chosen("measure"))

    @property
    def window(self) -> int:
        """Which part of the versions, from the newest, 1, on."""
        return self.chosen("versions") or 1


@requires(Right.READ)
@require_safe
def dataset_drift(request: HttpRequest, name: str) -> HttpResponse:
    """How far the versions of a dataset have moved from the one before each; `?since=first`: from the first one."""
    part = DriftPart(request.GET)
    since = Since(part.chosen("since") or Since.PREVIOUS)
    found = queries.dataset_drift(name, since, part.window)
    if found is None:
        raise Http404
    context = {
        "title": f"Drift of {name}",
        "lead": "What changed in the data, whatever the model?",
        "crumbs": [("Datasets", reverse("datasets")), (name, reverse("dataset", args=[name]))],
        "since": since,
        "tag": name,
        **_shown(found, part, request),
    }
    return render(request, "pages/drift.html", context)


@requires(Right.READ)
@require_safe
def model_drift(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the data that a model was benchmarked on lie from what it was trained on, over the versions of a tag."""
    page = queries.model_page(pk)
    if page is None:
        raise Http404
    part, tags = DriftPart(request.GET), queries.drift_tags(pk)
    tag = part.chosen("tag") if part.chosen("tag") in tags else next(iter(tags), "")
    found = queries.model_drift(pk, tag, part.window)
    context = {
        "title": f"Drift for {page.model.name}",
        "lead": "How far have the data moved from what the model was trained on?",
        "crumbs": [("Models", reverse("models")), (page.model.name, reverse("model", args=[pk]))],
        "model": page.model,
        "tag": tag,
        "tags": same(tags),
        **_shown(found, part, request),
    }
    return render(request, "pages/drift.html", context)


@dataclass(frozen=True, slots=True)
class Head:
    """A version at the head of the table: its link shows what moved farthest there."""

    text: str
    href: str
    point: DriftPoint


def _shown(found: DriftHistory, part: DriftPart, request: HttpRequest) -> dict[str, Any]:
    """What both pages show of the versions that were found."""
    points, measure = found.points, part.measured_by
    keys = drift_table.ordered(points, measure)
    if not keys:
        return {"points": points, "verdict": drifted.verdict(points[-1]) if points else None}
    foot = Foot(len(keys), part.number, SIZES, part.size, ("row", "rows"))
    here = keys[foot.page.start_index() - 1 : foot.page.end_index()]
    detail = _detail(points, part)

    def address(point: DriftPoint, key: Key | None) -> str:
        return _address(request, point, key)

    return {
        "points": points,
        "verdict": drifted.verdict(detail.point if detail and part.chosen("version") else points[-1]),
        "chart": drift_table.scores(points, _id),
        "heads": [Head(f"v{point.number}", address(point, None), point) for point in points],
        "lines": drift_table.lines(points, here, measure, address),
        "measures": DISTANCES,
        "measure": measure,
        "foot": foot,
        "window": _window(found),
        "detail": detail,
    }


def _id(point: DriftPoint) -> str:
    """The id of a version's link at the head of the table."""
    return f"v{point.number}"


def _address(request: HttpRequest, point: DriftPoint, key: Key | None) -> str:
    """The address of this page that shows a column at a version; without one, what moved farthest there."""
    asked = {name: value for name, value in request.GET.items() if name not in ("version", "column") and value}
    chosen = {"version": str(point.number)} | ({"column": str(key)} if key else {})
    return f"?{urlencode(asked | chosen)}"


def _detail(points: Iterable[DriftPoint], part: DriftPart) -> Detail | None:
    """The cell that is asked for; else what moved farthest on the version, or on the newest that is known."""
    number = part.chosen("version")
    for point in reversed([each for each in points if number in (None, each.number)]):
        key = Key.of(part.chosen("column")) or drift_table.farthest(point)
        found = drift_table.detail(point, key) if key else None
        if found:
            return found
    return None


def _window(found: DriftHistory) -> dict[str, int | None] | None:
    """Which versions are shown, if not all of them."""
    if found.windows == 1:
        return None
    first = (found.window - 1) * queries.DRIFT_WINDOW
    return {
        "first": first + 1,
        "last": first + len(found.points),
        "total": found.versions,
        "newer": found.window - 1,
        "older": found.window + 1 if found.window < found.windows else None,
    }
