"""Metrics over dataset versions, as charts and as words."""

from collections.abc import Iterable, Sequence

from atlas_web import words
from storage.queries import HistoryPoint
from ui import charts, formats


def chart(metric: str, main: str, points: Iterable[HistoryPoint], marked: Iterable[int] = ()) -> charts.History:
    """A metric of models over the versions of one tag.

    `main` is the name of the model that the page is about, `marked` are the versions that a line marks.
    """
    shown = list(points)
    versions = sorted({(point.version, point.created) for point in shown})
    lines: dict[str, dict[int, HistoryPoint]] = {main: {}}
    for point in shown:
        lines.setdefault(point.model, {})[point.version] = point
    return charts.History(
        metric=words.metric_title(metric),
        versions=[f"v{number}" for number, _ in versions],
        notes=[f"{created:%d %b %Y}" for _, created in versions],
        series=[
            _series(name, [found.get(number) for number, _ in versions], main=model == main)
            for (model, found), name in zip(lines.items(), _labels(list(lines)), strict=True)
        ],
        marked=[f"v{number}" for number in marked],
    )


def _series(name: str, points: Sequence[HistoryPoint | None], *, main: bool) -> charts.Series:
    values, low, high = (
        [getattr(point, part) if point else None for point in points] for part in ("value", "low", "high")
    )
    return charts.Series(name, values, low, high, main)


def _labels(models: Sequence[str]) -> list[str]:
    """Short names, as long as they tell the models apart."""
    short = [words.short_name(model) for model in models]
    return [name if short.count(name) == 1 else model for name, model in zip(short, models, strict=True)]


def described(history: charts.History) -> str:
    """The first line of a chart in words."""
    line = history.series[0]
    known = [
        (version, value) for version, value in zip(history.versions, line.values, strict=True) if value is not None
    ]
    rivals = f", with {words.plural(len(history.series) - 1, 'other model')}" if len(history.series) > 1 else ""
    title = f"Line chart: {history.metric} of {line.name}{rivals}"
    if not known:
        return f"{title}, not known on any version"
    (first, start), (last, end) = known[0], known[-1]
    if first == last:
        return f"{title}, {formats.num(start)} on {first}"
    return f"{title}, from {formats.num(start)} on {first} to {formats.num(end)} on {last}"


def past(points: Iterable[HistoryPoint], metric: str, until: int, most: int = 12) -> list[float]:
    """The latest values of a metric up to a version, oldest first."""
    return [point.value for point in points if point.metric == metric and point.version <= until][-most:]
