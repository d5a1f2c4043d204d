"""The list of models, and the page of one."""

from collections.abc import Iterable
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from atlas.access import Right
from atlas.manifest import Manifest
from atlas.states import ModelState, State
from atlas.watching import Stage
from atlas_web import histories, words
from atlas_web.alchemy import of_benchmarks
from atlas_web.bulk_table import BulkMixin
from atlas_web.filters import LanguageFilter
from atlas_web.parameters import parameters
from atlas_web.remembered import RememberedView
from storage import queries
from ui import charts, components, formats
from ui.access import rights_of
from ui.filters import OptionFilter
from ui.tables import AtlasTable, Column, PickColumn

MOST_COMPARED = 4
"""So many of a model's results are compared at first."""

STATES = {
    "benchmarked": "Benchmarked",
    "waiting": "Waiting or running",
    "failed": "Failed",
    "invalid": "Invalid file",
}
"""What the list can be narrowed to: each of `queries.STANDINGS`, and the choice's text."""


class ModelFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the selects above the list of models."""

    q = LanguageFilter("Search models", "Words, or use_case = …, f1_macro > 0.9", "models")
    use_case = OptionFilter("Use case", "All use cases", queries.use_cases, "use_case")
    tag = OptionFilter("Dataset tag", "All tags", queries.tags, "tags__name")
    author = OptionFilter("Author", "All authors", queries.authors, "author__name")
    state = django_filters.ChoiceFilter(
        label="State",
        empty_label="Any state",
        choices=list(STATES.items()),
        method="in_state",
    )

    stage = django_filters.ChoiceFilter(
        label="Stage",
        empty_label="Any stage",
        choices=[(stage.value, stage.value.capitalize()) for stage in Stage],
        field_name="stage__stage",
    )

    def in_state(self, found: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """The models that stand so."""
        return found.filter(**queries.STANDINGS[value])


class ModelTable(AtlasTable):
    """One row a model file."""

    noun = ("model", "models")
    glyph = "cube"

    pick = PickColumn()
    name = Column("Model", by=["name"])
    use_case = Column("Use case", by=["use_case"], above="md")
    tags = Column("Dataset", above="xl")
    created = Column("Created", "num", by=["created"], above="xxl")
    states = Column("State", "nowrap", by=["done", "explained_on"])
    score = Column("Score", by=["score"])
    trend = Column("Over versions", above="xl")

    class Meta(AtlasTable.Meta):
        empty_text = (
            "Here is how to send one: pack it with atlas.pack(…) and push the bundle, or send any fitted model from a "
            "page. Those of the training engine come by themselves."
        )

    @property
    def remedy(self) -> SafeString:
        """The command that sends a bundle, and the way to the page that does, for those who may."""
        link = format_html('<a class="btn btn-primary" href="{}">Send a model</a>', reverse("upload"))
        may = Right.WRITE in rights_of(self.request.user)
        return format_html('<code class="code mono">atlas push MODEL.atlas</code>{}', link if may else "")

    def before_render(self, request: HttpRequest) -> None:  # noqa: ARG002  # the signature is django-tables2's
        """Read the trends of the models on this page at once."""
        self.trends = queries.trends(row.record.pk for row in self.paginated_rows)

    def render_name(self, record: Any) -> SafeString:
        """The name, and below it the author or what is wrong with the file."""
        href = reverse("model", args=[record.pk])
        if record.state == ModelState.INVALID:
            problem = format_html("{} {}", components.state(ModelState.INVALID), words.clipped(record.reason))
            return components.model(record.name, href, problem)
        return components.model(record.name, href, record.author.name, queries.stage_of(record))

    def render_use_case(self, record: Any) -> SafeString | str:
        """What the model is for."""
        return record.use_case or components.nothing()

    def render_tags(self, record: Any) -> SafeString:
        """The tags that it is benchmarked on."""
        return _tags(record) or components.nothing()

    def render_created(self, record: Any) -> SafeString:
        """When its author made it."""
        return components.when_short(record.created)

    def render_states(self, record: Any) -> SafeString:
        """Whether there is a benchmark and an explanation, or why not."""
        return format_html("{}{}", _benchmark_icon(record), _explanation_icon(record))

    def render_score(self, record: Any) -> SafeString:
        """The primary metric on the newest version that it was benchmarked on."""
        if record.result is None:
            return format_html('<span class="muted">{}</span>', "no score yet" if record.use_case else formats.NOTHING)
        title = words.metric_title(record.primary_metric)
        shown = components.interval(record.score, record.low, record.high, above="sm")
        return format_html('{}<small class="d-none d-sm-block muted">{}</small>', shown, title)

    def render_trend(self, record: Any) -> SafeString:
        """The primary metric over the versions."""
        values = self.trends.get(record.pk, [])
        label = f"{words.metric_title(record.primary_metric)} of {record.name}, its last {len(values)} values"
        return components.spark(values, label, area=False) if len(values) > 1 else components.nothing()


def _benchmark_icon(model: Any) -> SafeString:
    href = reverse("benchmark", args=[model.result]) if model.result else ""
    reason = model.reason if model.state == ModelState.INVALID else model.trouble or ""
    return components.state_icon("benchmark", model.name, href, "" if model.unfinished else words.clipped(reason))


def _explanation_icon(model: Any) -> SafeString:
    href = reverse("explanation", args=[model.explained_on]) if model.explained_on else ""
    reason = model.reason if model.state == ModelState.INVALID else model.unexplained or ""
    return components.state_icon("explanation", model.name, href, words.clipped(reason))


class ModelList(BulkMixin, RememberedView):
    """Every model file."""

    template_name = "pages/models.html"
    table_class = ModelTable
    filterset_class = ModelFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All files."""
        return queries.plain_models()

    def whole(self) -> QuerySet[Any]:
        """The same, with how their benchmarks stand."""
        return queries.models()


def model(request: HttpRequest, pk: int) -> HttpResponse:
    """All that is known of one model file. `?metric=` chooses the metric of the charts."""
    page = queries.model_page(pk)
    if page is None:
        raise Http404
    metrics = list(dict.fromkeys((page.model.primary_metric, *(point.metric for point in page.history))))
    asked = request.GET.get("metric", "")
    chosen = asked if asked in metrics else page.model.primary_metric
    context = {
        "page": page,
        "model": page.model,
        "crumbs": [("Models", reverse("models"))],
        "badge": _badge(page.model),
        "facts": _facts(page),
        "metrics": metrics,
        "chosen": chosen,
        "charts": _charts(page, chosen),
        "details": _details(page.model, page.manifest) if page.manifest else [],
        "scored_by": f"Scored by {words.metric_title(page.model.primary_metric)}.",
        "parameters": parameters(page),
        **_neighbours(page),
        "compare": _compare(page),
    }
    return render(request, "pages/model.html", context)


def _badge(model: Any) -> SafeString:
    """The model's stage, or else whether its file can be used."""
    return components.state(queries.stage_of(model) or model.state)


def _neighbours(page: queries.ModelPage) -> dict[str, object]:
    """The version of the model made after this one, and the one before it."""
    versions = page.versions
    place = next((place for place, each in enumerate(versions) if each.pk == page.model.pk), None)
    if place is None:
        return {}
    return {
        "newer": versions[place - 1] if place else None,
        "older": versions[place + 1] if place + 1 < len(versions) else None,
    }


def _compare(page: queries.ModelPage) -> str:
    """The address that compares its results on the newest versions of its datasets; empty if there are not two."""
    done = [benchmark.pk for benchmark in page.benchmarks if benchmark.state == State.DONE][:MOST_COMPARED]
    return of_benchmarks(done) if done[1:] else ""


def _facts(page: queries.ModelPage) -> list[tuple[str, object]]:
    model = page.model
    if model.author is None:
        return []
    author = format_html('<a href="mailto:{}">{}</a>', model.author.email, model.author.name)
    return [
        ("Use case", model.use_case),
        ("Version", model.version),
        ("Author", author),
        ("Created", components.when(model.created)),
    ]


def _charts(page: queries.ModelPage, metric: str) -> list[tuple[str, charts.History, str]]:
    """For each tag: its name, the metric over its versions, and that in words."""
    points = [point for point in page.history if point.metric == metric]
    tags = dict.fromkeys(point.tag for point in points)
    drawn = [
        (tag, histories.chart(metric, page.model.name, [point for point in points if point.tag == tag])) for tag in tags
    ]
    return [(tag, chart, histories.described(chart)) for tag, chart in drawn]


def _details(model: Any, manifest: Manifest) -> list[tuple[str, object]]:
    """What the manifest says, as terms and values; what it leaves out is left out."""
    window, pipeline = manifest.data_window, manifest.pipeline
    said = (
        ("Task", manifest.task.value),
        ("Target", manifest.target),
        ("Classes", _listed(manifest.classes)),
        ("Dataset tags", _tags(model)),
        ("Metrics", _listed(words.metric_title(name) for name in manifest.metrics)),
        ("Primary metric", words.metric_title(manifest.primary_metric)),
        ("Data window", f"{window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}" if window else ""),
        ("Framework", words.made_with(manifest)),
        ("Libraries", _listed(f"{name} {version}" for name, version in sorted(manifest.libraries.items()))),
        ("Model format", manifest.model.format),
        ("Pipeline format", pipeline.format if pipeline else ""),
        *_training(manifest),
    )
    return [(term, value) for term, value in said if value]


def _training(manifest: Manifest) -> list[tuple[str, object]]:
    record = manifest.training
    if record is None:
        return []
    return [
        ("Trained on", f"{record.query_id}, {record.rows:,} rows"),
        ("Trained", components.when(record.date)),
        ("Training took", formats.duration(record.duration_seconds)),
    ]


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _tags(model: Any) -> SafeString:
    links = ((reverse("dataset", args=[tag.name]), tag.name) for tag in model.tags.all())
    return format_html_join(", ", '<a class="nowrap" href="{}">{}</a>', links)
