"""A model on live data, in words, charts and rows. Pure functions of what `queries` found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from atlas.drift import Distribution
from atlas.inference import Counted
from atlas.manifest import Manifest
from atlas.ranking import unlike
from atlas.results import MetricValue
from atlas.states import State
from atlas_web import drift_table, drifted, words
from atlas_web.drifted import Verdict
from storage.queries import LiveRun
from ui import components, formats
from ui.charts import Chart, Histogram, History, Series

MEASURED = "measured"
ESTIMATED = "estimated without labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A metric on one version: its value, and whether that is an estimate."""

    metric: MetricValue
    is_estimate: bool

    @property
    def text(self) -> str:
        """The value with its interval: `0.910 [0.880, 0.930]`."""
        value, low, high = self.metric.value, self.metric.low, self.metric.high
        ends = "" if low is None or high is None else f" [{formats.num(low)}, {formats.num(high)}]"
        return f"{formats.num(value)}{ends}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its id and title, and what more is said of it."""

    id: str
    title: str
    chart: Chart
    label: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the table of versions; `why` says why nothing is known of the metric."""

    run: LiveRun
    known: Known | None
    value: SafeString
    why: str
    labelled: int | None
    confidence: float | None
    moved: str


def known(run: LiveRun, metric: str) -> Known | None:
    """A metric on a version, measured if there are labels, else estimated; None if neither is there."""
    if run.live is None:
        return None
    for values, is_estimate in ((run.live.metrics, False), (run.live.estimated, True)):
        for each in values:
            if each.name == metric and each.value is not None:
                return Known(metric=each, is_estimate=is_estimate)
    return None


def metrics_of(manifest: Manifest) -> list[str]:
    """The model's metrics that can be told here, the primary one first: the author's own need a sandbox."""
    own = set(own_metrics(manifest))
    return [name for name in dict.fromkeys((manifest.primary_metric, *manifest.metrics)) if name not in own]


def own_metrics(manifest: Manifest) -> list[str]:
    """The names of the metrics that the author brought."""
    return [custom.name for custom in manifest.custom_metrics]


def why_unknown(run: LiveRun, metric: str) -> str:
    """Why a metric is not known on a version, as a sentence; empty where it is, or where nothing was predicted yet."""
    if run.live is None or known(run, metric):
        return ""
    said = [each.reason for each in (*run.live.metrics, *run.live.estimated) if each.name == metric and each.reason]
    if said:
        return said[0]
    if run.live.not_estimated:
        return run.live.not_estimated
    return f"{words.metric_title(metric)} takes labels: it does not follow from a model's own probabilities."


# The conclusion -----------------------------------------------------------------------------------------------------


def verdict(tag: str, runs: Sequence[LiveRun], metric: str) -> Verdict | None:
    """How the model does on the newest version that it has predicted, oldest of `runs` first; None if there is none."""
    looked_at = [run for run in runs if run.live]
    if not looked_at:
        return None
    newest = looked_at[-1]
    now, before = known(newest, metric), _labels_before(looked_at, metric)
    drift = newest.live.drift if newest.live else None
    is_worse = bool(now and before and _is_worse(now.metric, before[1].metric))
    told = [_value(tag, newest, metric, now), *_beside(now, before, is_worse=is_worse), *_moved(newest), *_after(runs)]
    if is_worse or (drift and any(column.has_moved for column in drift.columns)):
        return Verdict(tone="warn", glyph="exclamation-triangle", sentences=told)
    if now is None:
        return Verdict(tone="idle", glyph="information-circle", sentences=told)
    return Verdict(tone="ok", glyph="check-circle", sentences=told)


def _labels_before(looked_at: Sequence[LiveRun], metric: str) -> tuple[LiveRun, Known] | None:
    """The last version before the newest on which the metric was measured."""
    for run in reversed(looked_at[:-1]):
        found = known(run, metric)
        if found and not found.is_estimate:
            return run, found
    return None


def _is_worse(now: MetricValue, before: MetricValue) -> bool:
    """Whether a value is worse by more than chance: the intervals have nothing in common."""
    if now.value is None or before.value is None or not unlike(now.low, now.high, before.low, before.high):
        return False
    return (now.value < before.value) == (now.greater_is_better is not False)


def _value(tag: str, run: LiveRun, metric: str, now: Known | None) -> str:
    title, on = _title(metric), f"On {tag} v{run.number}"
    if now is None:
        return f"{on} {title} is not known. {why_unknown(run, metric)}"
    if now.is_estimate:
        return f"{on} {title} is probably {now.text}, estimated without labels."
    labelled = run.live.labelled if run.live else 0
    return f"{on} {title} is {now.text}, measured on {words.plural(labelled, 'labelled row')} of {run.rows or 0:,}."


def _title(metric: str) -> str:
    """A metric's name within a sentence: `accuracy`, but `F1` and `ROC AUC`."""
    title = words.metric_title(metric)
    return title if title[1:2].isupper() or title[1:2].isdigit() else title[:1].lower() + title[1:]


def _beside(now: Known | None, before: tuple[LiveRun, Known] | None, *, is_worse: bool) -> Iterator[str]:
    if before is None:
        return
    run, then = before
    when = "when labels last came" if now is None or now.is_estimate else "on the last version before with labels"
    worse = ": it is worse by more than chance" if is_worse else ""
    yield f"It was {then.text} {when} (v{run.number}){worse}."


def _moved(run: LiveRun) -> Iterator[str]:
    drift = run.live.drift if run.live else None
    if drift is None:
        yield "Nothing says how far the columns have moved: the model brings no sample of what it was trained on."
    else:
        said = drifted.moved(drift)
        yield f"{said[0].upper()}{said[1:]}."


def _after(runs: Sequence[LiveRun]) -> Iterator[str]:
    """What became of a version that came after the newest one that was predicted."""
    last = runs[-1]
    if last.live is None and last.state in (State.QUEUED, State.RUNNING):
        yield f"v{last.number} is being predicted."
    elif last.live is None:
        yield f"v{last.number} could not be predicted: {last.reason}"


# Charts -------------------------------------------------------------------------------------------------------------


def figures(tag: str, runs: Sequence[LiveRun], metric: str) -> list[Figure]:
    """What is drawn over the versions: the metric, and beside it confidence and drift where they are known."""
    found = [_confidence(runs), _drift(runs)]
    return [_metric(tag, runs, metric), *(figure for figure in found if figure)]


def _metric(tag: str, runs: Sequence[LiveRun], metric: str) -> Figure:
    told = [known(run, metric) for run in runs]
    lines = [
        _series(MEASURED, [each if each and not each.is_estimate else None for each in told], main=True),
        _series(ESTIMATED, [each if each and each.is_estimate else None for each in told], main=False),
    ]
    title = words.metric_title(metric)
    counts = [sum(value is not None for value in line.values) for line in lines]
    label = f"Line chart: {title} on {tag}, measured on {words.plural(counts[0], 'version')}, estimated on {counts[1]}"
    text = "Labels that come later put what they show in the place of an estimate."
    return Figure(id="metric-chart", title=title, chart=_history(runs, title, lines), label=label, text=text)


def _series(name: str, told: Sequence[Known | None], *, main: bool) -> Series:
    values, low, high = (
        [getattr(each.metric, part) if each else None for each in told] for part in ("value", "low", "high")
    )
    return Series(name, values, low, high, main)


def _history(runs: Sequence[LiveRun], axis: str, lines: Sequence[Series], *, whole: bool = False) -> History:
    return History(
        metric=axis,
        versions=[f"v{run.number}" for run in runs],
        notes=[f"{run.created:%d %b %Y}" for run in runs],
        series=[line for line in lines if any(value is not None for value in line.values)] or lines[:1],
        from_0_to_1=whole,
    )


def _confidence(runs: Sequence[LiveRun]) -> Figure | None:
    def of(run: LiveRun) -> float | None:
        return run.live.mean_confidence if run.live else None

    text = "The probability of the class that is predicted. It falls where events are unlike those of the training."
    return _one_line("confidence-chart", "Mean confidence", runs, of, text)


def _drift(runs: Sequence[LiveRun]) -> Figure | None:
    def of(run: LiveRun) -> float | None:
        return run.live.drift.share_moved if run.live and run.live.drift else None

    return _one_line(
        "moved-chart", "Share of moved columns", runs, of, "From what the model was trained on.", whole=True
    )


def _one_line(
    id: str,  # noqa: A002
    title: str,
    runs: Sequence[LiveRun],
    of: Callable[[LiveRun], float | None],
    text: str,
    *,
    whole: bool = False,
) -> Figure | None:
    values = [of(run) for run in runs]
    if all(value is None for value in values):
        return None
    last = next(value for value in reversed(values) if value is not None)
    label = f"Line chart: {title.lower()}, {formats.num(last)} at last"
    chart = _history(runs, title, [Series(title.lower(), values, main=True)], whole=whole)
    return Figure(id=id, title=title, chart=chart, label=label, text=text)


def distributions(runs: Sequence[LiveRun]) -> list[Figure]:
    """How predictions and confidence spread on the newest version, beside the version before."""
    newest = [run for run in runs if run.live][-2:]
    predictions = [(run, run.live.predictions) for run in newest if run.live]
    sure = [(run, run.live.confidence) for run in newest if run.live and run.live.confidence]
    return [*_spread("predictions", "Predictions", predictions), *_spread("confidence", "Confidence", sure)]


def _spread(name: str, title: str, told: Sequence[tuple[LiveRun, Counted]]) -> Iterator[Figure]:
    """One chart of both versions where they have the same bins; one of each where numbers have bins of their own."""
    if told and told[-1][1].edges:
        for run, counted in reversed(told):
            head = f"{title} on v{run.number}"
            chart = Histogram(axis="Predicted value", edges=counted.edges, counts=counted.counts)
            yield Figure(id=f"{name}-v{run.number}", title=head, chart=chart, label=chart.label)
    elif len(told) == 2:
        (before, earlier), (now, later) = told
        bins = list(dict.fromkeys((*earlier.bins, *later.bins)))
        found = Distribution(bins=tuple(bins), before=_counts(earlier, bins), now=_counts(later, bins))
        both = drift_table.drawn(found, f"v{before.number}", f"v{now.number}")
        head = f"{title} on v{now.number}, compared with v{before.number}"
        yield Figure(id=f"{name}-distribution", title=head, chart=both, label=both.label)


def _counts(counted: Counted, bins: Sequence[str]) -> tuple[int, ...]:
    of = dict(zip(counted.bins, counted.counts, strict=True))
    return tuple(of.get(name, 0) for name in bins)


# The table ----------------------------------------------------------------------------------------------------------


def lines(runs: Sequence[LiveRun], metric: str) -> list[Line]:
    """A row for each version, the newest first."""
    return [_line(run, metric) for run in reversed(runs)]


def _line(run: LiveRun, metric: str) -> Line:
    found, drift = known(run, metric), run.live.drift if run.live else None
    value = found.metric if found else None
    return Line(
        run=run,
        known=found,
        value=components.interval(value.value, value.low, value.high) if value else components.nothing(),
        why=why_unknown(run, metric) or ("" if run.live else run.reason),
        labelled=run.live.labelled if run.live else None,
        confidence=run.live.mean_confidence if run.live else None,
        moved=formats.share(drift.share_moved if drift else None, 0),
    )
