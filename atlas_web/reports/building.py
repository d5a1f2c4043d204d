"""Makes the document of a report of what the tables tell."""

from collections.abc import Iterator
from datetime import datetime

from atlas_web import words
from atlas_web.reports import charts, details
from atlas_web.reports.document import Block, Figure, Picture, Report, Table
from atlas_web.reports.findings import interval, number, own_place, places, verdicts
from storage.queries import ModelReport
from ui import formats

MOST_RIVALS = 5


def report(found: ModelReport, made: datetime) -> Report:
    """The report as a document, written at the time that is given."""
    on = (
        f"measured on {found.tag}, up to v{found.newest.number}" if found.newest else f"not measured on {found.tag} yet"
    )
    return Report(
        title=found.model.name,
        subtitle=f"For {found.model.use_case}, {on}",
        author=found.manifest.author.name,
        made=made,
        figures=list(_figures(found)),
        verdicts=verdicts(found),
        summary=list(_summary(found)),
        sections=details.sections(found),
    )


def _figures(found: ModelReport) -> Iterator[Figure]:
    newest = found.newest
    if newest is None or newest.primary is None:
        return
    primary = newest.primary
    title = words.metric_title(primary.name)
    sure = f"95 %: {interval(primary.low, primary.high)}" if primary.low is not None else "no interval is known"
    yield Figure(title=f"{title} on v{newest.number}", value=number(primary.value), below=sure)
    if len(found.measured) > 1:
        first = found.measured[0]
        change = words.difference(primary.value, first.primary.value if first.primary else None)
        aim = "more is better" if primary.greater_is_better else "less is better"
        yield Figure(title=f"Change since v{first.number}", value=number(change, sign=True), below=aim)
    own = own_place(found)
    if own and len(places(found)) > 1:
        of = words.plural(len(places(found)), "model")
        yield Figure(title="Place", value=words.ordinal(own.rank), below=f"of {of} of its use case")
    latency = newest.benchmark.latency_p50_seconds
    if latency is not None:
        yield Figure(title="Time for one event", value=formats.duration(latency), below="median, predicted alone")


def _summary(found: ModelReport) -> Iterator[Block]:
    if not found.measured:
        return
    line = details.line(found, found.model.primary_metric)
    versions = details.version_names(found)
    known = [(version, value) for version, value in zip(versions, line.values, strict=True) if value is not None]
    told = ", ".join(f"{number(value)} on {version}" for version, value in known) or "not known on any version"
    yield Picture(
        title=f"{line.title} over the versions of {found.tag}",
        svg=charts.history(versions, line),
        label=f"Line chart: {told}",
        note="Vertical lines are 95 % intervals.",
    )
    yield from _rivals(found)


def _rivals(found: ModelReport) -> Iterator[Block]:
    """The best models of the use case on the newest version, and this one."""
    ranks, own = places(found), own_place(found)
    if found.newest is None or len(ranks) < 2:
        return
    shown = ranks[:MOST_RIVALS]
    shown += [own] if own and own not in shown else []
    noise = {True: "yes", False: "no", None: "unknown"}
    rows = []
    for place in shown:
        known = found.rivals[place.key]
        within = formats.NOTHING if place is ranks[0] else noise[place.within_noise]
        rank = f"{'=' if place.tied else ''}{place.rank}"
        rows.append((rank, place.key[1], number(known.value), interval(known.low, known.high), within))
    title = words.metric_title(found.model.primary_metric)
    yield Table(
        title=f"{title} on {found.tag} v{found.newest.number}",
        head=("Place", "Model", "Value", "95 % interval", "Within noise of the best"),
        rows=rows,
        names=2,
        marked=shown.index(own) if own else -1,
        note=f"The best of {words.plural(len(ranks), 'model')} of the use case that have this metric."
        if len(ranks) > len(shown)
        else "",
    )
