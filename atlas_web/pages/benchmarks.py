"""The list of benchmarks, and the page of one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import django_filters
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from atlas.access import Right, Verb
from atlas.paired import Finding
from atlas.ranking import unlike
from atlas.results import ClassMetrics
from atlas.states import State
from atlas_web import changed, drift_cards, histories, sliced, words
from atlas_web.alchemy import of_benchmarks
from atlas_web.filters import LanguageFilter
from atlas_web.intervals import Interval
from atlas_web.parameters import parameters
from atlas_web.printed import printed
from atlas_web.progress import progress
from atlas_web.remembered import RememberedView
from explainability import figures
from storage import queries, records
from ui import charts, components, formats
from ui.access import requires
from ui.filters import OptionFilter
from ui.tables import AtlasTable, Column, PickColumn

MOST_RIVALS = 4
MOST_FEATURES = 20
MOST_CLASSES = 20
RUNNING_SECONDS, QUEUED_SECONDS = 2, 5
"""How often the page of a benchmark asks for itself while it runs, and while it waits."""


class BenchmarkFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the selects above the list of benchmarks."""

    q = LanguageFilter("Search benchmarks", "Words, or tag = …, state = …, f1_macro > 0.9", "benchmarks")
    use_case = OptionFilter("Use case", "All use cases", queries.use_cases, "model__use_case")
    tag = OptionFilter("Dataset tag", "All tags", queries.tags, "dataset_version__tag__name")
    state = django_filters.ChoiceFilter(
        label="State",
        empty_label="Any state",
        choices=[(state.value, components.STATES[state].text) for state in State],
    )


class BenchmarkTable(AtlasTable):
    """One row a benchmark."""

    noun = ("benchmark", "benchmarks")
    glyph = "chart-bar"

    pick = PickColumn()
    model = Column("Model", by=["model__name"])
    dataset = Column("Dataset", by=["dataset_version__tag__name", "dataset_version__number"], above="sm")
    state = Column("State", by=["state"])
    score = Column("Score", "num", by=["score"])
    change = Column("Change", "num", above="lg")
    rows = Column("Test rows", "num", by=["dataset_version__evaluation_rows"], above="xxl")
    finished = Column("Finished", "num", by=["finished"], above="md")
    took = Column("Took", "num", by=["wall_seconds"], above="xxl")

    class Meta(AtlasTable.Meta):
        empty_text = "The engine queues one for each model on each version of its datasets, as soon as there are both."

    def render_model(self, record: Any) -> SafeString:
        """The model, and below it why there is no result, if there is none; on phones, with the dataset version."""
        why = words.clipped(record.reason) if record.reason else record.model.use_case
        sub = format_html('<span class="d-sm-none">{}, </span>{}', record.dataset_version, why)
        return components.model(record.model.name, reverse("benchmark", args=[record.pk]), sub)

    def render_dataset(self, record: Any) -> SafeString:
        """The dataset version."""
        return dataset_link(record)

    def render_state(self, record: Any) -> SafeString:
        """Where it stands."""
        return components.state(record.state, *words.phase(record))

    def render_score(self, record: Any) -> SafeString:
        """The primary metric."""
        if record.score is None:
            return components.nothing()
        title = words.metric_title(record.metric)
        shown = components.interval(record.score, record.low, record.high, above="sm")
        return format_html('{}<small class="d-none d-sm-block muted">{}</small>', shown, title)

    def render_change(self, record: Any) -> SafeString:
        """The score's difference from that on the version before."""
        return components.delta(words.change(record), words.noise(record), better_down=words.less_is_better(record))

    def render_rows(self, record: Any) -> str:
        """How many rows it is measured on."""
        return formats.num(record.dataset_version.evaluation_rows, 0)

    def render_finished(self, record: Any) -> SafeString:
        """When it ended."""
        return components.when_short(record.finished)

    def render_took(self, record: Any) -> SafeString | str:
        """How long it ran."""
        return components.nothing() if record.wall_seconds is None else formats.duration(record.wall_seconds)


def dataset_link(benchmark: Any) -> SafeString:
    """A link to the dataset version that a benchmark is on."""
    version = benchmark.dataset_version
    href = f"{reverse('dataset', args=[version.tag.name])}?version={version.number}"
    return format_html('<a class="nowrap" href="{}">{}</a>', href, version)


class BenchmarkList(RememberedView):
    """Every benchmark."""

    template_name = "pages/benchmarks.html"
    table_class = BenchmarkTable
    filterset_class = BenchmarkFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All benchmarks: what runs, what ended last, what waits."""
        return queries.plain_benchmarks()

    def whole(self) -> QuerySet[Any]:
        """The same, with their scores."""
        return queries.benchmarks()

    def count(self) -> int:
        """How many there are."""
        return sum(queries.benchmark_counts().values())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The list, and whether the queue is paused."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"pause": queries.pause()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A metric of the benchmark, as its card shows it."""

    label: str
    value: SafeString
    interval: SafeString
    foot: SafeString | str
    past: list[float]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """How well one class is recognised, as its row shows it."""

    name: str
    f1: SafeString
    change: SafeString
    precision: SafeString
    recall: SafeString
    rows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a benchmark needed of one kind, and by how much that differs from the version before."""

    name: str
    value: str
    change: str


def benchmark(request: HttpRequest, pk: int) -> HttpResponse:
    """All that is known of one benchmark. `?metric=` chooses the metric of the chart.

    While it waits or runs, the page asks for itself again.
    """
    page = queries.benchmark_page(pk)
    if page is None:
        raise Http404
    shown = page.benchmark
    context = {
        "page": page,
        "benchmark": shown,
        "title": f"{words.short_name(shown.model.name)} on {shown.dataset_version}",
        "crumbs": [
            ("Benchmarks", reverse("benchmarks")),
            (shown.model.name, reverse("model", args=[shown.model.pk])),
        ],
        "facts": _facts(page),
        "can_cancel": shown.state in records.CAN_BE_CANCELLED,
        "can_run_again": shown.state in records.CAN_RUN_AGAIN,
        "poll_seconds": _poll_seconds(shown.state),
        "output": printed(shown.output),
        "pause": queries.pause() if shown.state == State.QUEUED else None,
        "progress": progress(shown, page.duration, timezone.now()) if shown.state == State.RUNNING else None,
        **(_results(page, request.GET.get("metric", "")) if shown.state == State.DONE else {}),
    }
    return render(request, "pages/benchmark.html", context)


def _poll_seconds(state: str) -> int | None:
    return {State.RUNNING: RUNNING_SECONDS, State.QUEUED: QUEUED_SECONDS}.get(State(state))


@requires(Right.WRITE)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a benchmark out of the queue, or from the engine that runs it."""
    done = records.cancel(pk, by=str(request.user), now=timezone.now())
    return _changed_by_a_person(request, pk, done, Verb.CANCELLED, "It has ended already, so it cannot be cancelled.")


@requires(Right.WRITE)
@require_POST
def run_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue a benchmark once more."""
    done = records.run_again(pk, now=timezone.now())
    return _changed_by_a_person(request, pk, done, Verb.RAN_AGAIN, "It has not ended yet, or it cannot run at all.")


_SAID = {Verb.CANCELLED: "Cancelled", Verb.RAN_AGAIN: "Queued again"}


def _changed_by_a_person(request: HttpRequest, pk: int, done: bool, verb: Verb, otherwise: str) -> HttpResponse:
    """Say on the page, and keep in both logs, what a person did."""
    page = queries.benchmark_page(pk)
    if page is None:
        raise Http404
    if done:
        by, thing, now = str(request.user), str(page.benchmark), timezone.now()
        records.record_action(by, verb, "benchmark", thing, now=now)
        records.log("dashboard", f"{_SAID[verb]} by {by}: {thing}.", now=now, benchmark=pk)
        messages.success(request, f"{_SAID[verb]}.")
    else:
        messages.warning(request, otherwise)
    return redirect("benchmark", pk=pk)


def _facts(page: queries.BenchmarkPage) -> list[tuple[str, object]]:
    shown, window = page.benchmark, page.manifest.data_window
    facts: list[tuple[str, object]] = [
        ("Use case", shown.model.use_case),
        ("Dataset", dataset_link(shown)),
        ("Test rows", formats.num(shown.dataset_version.evaluation_rows, 0)),
    ]
    if window:
        facts.append(("Data window", f"{window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"))
    if shown.finished:
        facts.append(("Finished", components.when(shown.finished)))
    if shown.wall_seconds is not None:
        facts.append(("Took", formats.duration(shown.wall_seconds)))
    return facts


def _results(page: queries.BenchmarkPage, asked: str) -> dict[str, object]:
    """What there is to show once the benchmark is done."""
    known = [metric.name for metric in page.metrics if metric.value is not None]
    chosen = asked if asked in known else next(iter(known), "")
    return {
        "verdict": _verdict(page),
        "has_dropped": _has_dropped(page),
        "compare": of_benchmarks([page.benchmark.pk, *_best_rivals(page)]),
        "cards": list(_cards(page)),
        "metrics": known,
        "chosen": chosen,
        "history": _history(page, chosen) if chosen else None,
        "classes": _classes(page),
        "classes_text": _classes_text(page),
        "slices": sliced.tables(page.slices, page.metrics),
        "events": reverse("events", args=[page.benchmark.pk]) if page.benchmark.predictions_key else "",
        "events_text": "Choose a number to see its events." if page.benchmark.predictions_key else "",
        "residuals": _residuals(page),
        "importance": _importance(page),
        "costs": list(_costs(page)),
        "costs_text": _costs_text(page.benchmark),
        "parameters": parameters(page),
        "drift": _drift(page),
    }


def _drift(page: queries.BenchmarkPage) -> drift_cards.DriftCard | None:
    shown = page.benchmark
    version = shown.dataset_version
    return drift_cards.of_benchmark(shown.pk, shown.model_id, version.tag.name, version.number)


def _best_rivals(page: queries.BenchmarkPage) -> list[int]:
    """The benchmarks of the best other models on the same version."""
    return [each.benchmark for each in page.standings if each.benchmark != page.benchmark.pk][:MOST_RIVALS]


def _verdict(page: queries.BenchmarkPage) -> list[str]:
    """What came out, in sentences: the score and its change, and the place among the models of the use case."""
    primary = page.primary
    if primary is None:
        return ["It measured nothing."]
    title = words.metric_title(primary.name)
    if primary.value is None:
        return [f"{title} has no value here.", primary.reason]
    score = f"{title} is {formats.num(primary.value)}{_compared(page, primary.value)}."
    return [score, *_lasting(page, primary.name), *_place(page)]


def _compared(page: queries.BenchmarkPage, value: float) -> str:
    primary = page.primary
    before_that = page.earlier_metrics.get(primary.name) if primary else None
    earlier = before_that.value if before_that else None
    if page.earlier is None or primary is None or before_that is None or earlier is None:
        return ""
    before = f"v{page.earlier.dataset_version.number}"
    by = formats.num(abs(value - earlier))
    if value == earlier:
        return f", the same as on {before}"
    noise = changed.noise(page.changes.get(primary.name), page.earlier.dataset_version.number)
    more = {False: ": more than noise", True: ": within noise", None: ""}[noise]
    return f", {by} {'higher' if value > earlier else 'lower'} than on {before}{more}"


def _lasting(page: queries.BenchmarkPage, metric: str) -> Iterator[str]:
    change = page.changes.get(metric)
    if change is not None:
        yield from changed.since_best(change)
        yield from changed.lasting(change)


def _has_dropped(page: queries.BenchmarkPage) -> bool:
    """Whether the primary metric is worse than on an earlier version by more than noise."""
    change = page.changes.get(page.primary.name) if page.primary else None
    return change is not None and change.finding is Finding.WORSE


def _place(page: queries.BenchmarkPage) -> Iterator[str]:
    own, total = page.standing, len(page.standings)
    if own is None:
        return
    use_case = page.benchmark.model.use_case
    if total == 1:
        yield f"No other model for {use_case} has a result on this version yet."
        return
    shared = sum(each.place == own.place for each in page.standings) > 1
    place = "the best" if own.place == 1 else f"the {words.ordinal(own.place)} best"
    tie = ", shared with others" if shared else ""
    yield f"That is {place} of the {total:,} models for {use_case} on this version{tie}."


def _cards(page: queries.BenchmarkPage) -> Iterator[Card]:
    number = page.benchmark.dataset_version.number
    for metric in page.metrics:
        yield Card(
            label=words.metric_title(metric.name),
            value=components.score(metric.value),
            interval=components.ci(metric.low, metric.high),
            foot=metric.reason or _since(page, metric),
            past=histories.past(page.history, metric.name, until=number),
            note="primary" if metric.primary else "",
        )


def _since(page: queries.BenchmarkPage, metric: Any) -> SafeString | str:
    if page.earlier is None:
        return "first version"
    before, earlier = f"v{page.earlier.dataset_version.number}", page.earlier_metrics.get(metric.name)
    if earlier is None or earlier.value is None:
        return f"not known on {before}"
    noise = changed.noise(page.changes.get(metric.name), page.earlier.dataset_version.number)
    by = words.difference(metric.value, earlier.value)
    return format_html("{} since {}", components.delta(by, noise, better_down=not metric.greater_is_better), before)


def _change(now: Interval, before: Interval | None) -> SafeString:
    """The difference of two values, in colour if their intervals have nothing in common."""
    if before is None:
        return components.nothing()
    noise = False if unlike(now.low, now.high, before.low, before.high) else None
    return components.delta(words.difference(now.value, before.value), noise)


def _classes(page: queries.BenchmarkPage) -> list[ClassRow]:
    """The classes, those that are recognised worst first."""
    shown = sorted(page.classes, key=lambda each: -1.0 if each.f1.value is None else each.f1.value)[:MOST_CLASSES]
    ends = [end for each in shown for end in (each.f1.low, each.f1.high) if end is not None]
    known = [each.f1.value for each in page.classes if each.f1.value is not None]
    scale = (min(ends), max(ends)) if ends else None
    mean = fmean(known) if known else None
    return [_class_row(each, page.earlier_classes.get(str(each.label)), scale, mean) for each in shown]


def _class_row(
    now: ClassMetrics, before: ClassMetrics | None, scale: tuple[float, float] | None, mean: float | None
) -> ClassRow:
    return ClassRow(
        name=str(now.label),
        f1=components.interval(now.f1.value, now.f1.low, now.f1.high, scale, mean),
        change=_change(now.f1, before.f1 if before else None),
        precision=components.score(now.precision.value),
        recall=components.score(now.recall.value),
        rows=formats.num(now.rows, 0),
    )


def _classes_text(page: queries.BenchmarkPage) -> str:
    left_out = len(page.classes) - MOST_CLASSES
    shown = f"The {MOST_CLASSES} worst of {len(page.classes)}. " if left_out > 0 else ""
    return f"{shown}Whiskers are 95 % intervals of F1; the dashed line is its mean over classes."


def _history(page: queries.BenchmarkPage, metric: str) -> dict[str, object]:
    own = [point for point in page.history if point.metric == metric]
    chart = histories.chart(metric, page.benchmark.model.name, [*own, *page.rivals(metric, MOST_RIVALS)])
    return {"chart": chart, "label": histories.described(chart)}


def _residuals(page: queries.BenchmarkPage) -> charts.Residuals | None:
    return charts.Residuals(*page.residuals, target=page.manifest.target) if page.residuals else None


def _importance(page: queries.BenchmarkPage) -> dict[str, object] | None:
    found = page.explanation
    if found is None or not found.available:
        return None
    chart = figures.importance(found, most=MOST_FEATURES)
    errors = " Whiskers are 95 % intervals." if any(chart.whiskers) else ""
    return {
        "chart": chart,
        "label": chart.label,
        "caption": f"Over {formats.num(found.rows, 0)} events, by {found.method}.{errors}",
    }


def _costs(page: queries.BenchmarkPage) -> Iterator[Cost]:
    for name, read, write in _COSTS:
        now = read(page.benchmark)
        change = words.difference(now, read(page.earlier)) if page.earlier else None
        yield Cost(name=name, value=write(now), change=_changed(change, write))
    yield Cost(name="Size of the file", value=formats.size(page.benchmark.model.size_bytes), change=formats.NOTHING)


def _changed(change: float | None, write: Callable[[Any], str]) -> str:
    if change is None:
        return formats.NOTHING
    sign = formats.MINUS if change < 0 else "+" if change else "±"
    return sign + write(abs(change))


def _costs_text(benchmark: Any) -> str:
    if not benchmark.latency_rows:
        return ""
    return f"Latency is of one event at a time, over {words.plural(benchmark.latency_rows, 'event')}."


def _in_bulk(benchmark: Any) -> float | None:
    return benchmark.predict_seconds / benchmark.predictions if benchmark.predictions else None


_COSTS: tuple[tuple[str, Callable[[Any], Any], Callable[[Any], str]], ...] = (
    ("Latency p50", lambda benchmark: benchmark.latency_p50_seconds, formats.duration),
    ("Latency p95", lambda benchmark: benchmark.latency_p95_seconds, formats.duration),
    ("Per event, in bulk", _in_bulk, formats.duration),
    ("Prediction of all events", lambda benchmark: benchmark.predict_seconds, formats.duration),
    ("Loading the model", lambda benchmark: benchmark.load_seconds, formats.duration),
    ("Wall time, explanation included", lambda benchmark: benchmark.wall_seconds, formats.duration),
    ("CPU time", lambda benchmark: benchmark.cpu_seconds, formats.duration),
    ("Peak memory", lambda benchmark: benchmark.peak_memory_bytes, formats.size),
)
"""Each cost's name, how to read it of a benchmark, and how to write it."""
