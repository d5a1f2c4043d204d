"""The list of datasets, and the page of one: its versions, what they hold, and what a version changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas.datasets import DatasetDescription, Split, Statistics
from atlas.vocabulary import ColumnSchema
from atlas_web import drift_cards, words
from atlas_web.remembered import RememberedView
from storage import queries
from ui import components, formats
from ui.filters import SearchFilter
from ui.tables import AtlasTable, Column

MOST_VALUES = 12
"""How many values of a count are shown."""


class DatasetFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search above the list of datasets."""

    q = SearchFilter("Search datasets", "Find by name, query or query id", ("name", "query", "query_id"))


class DatasetTable(AtlasTable):
    """One row a tag."""

    noun = ("dataset", "datasets")
    glyph = "circle-stack"

    name = Column("Dataset", by=["name"])
    version = Column("Version", "num", by=["newest"])
    query_id = Column("Query id", "mono", "nowrap", by=["query_id"], above="lg")
    rows = Column("Rows", "num", by=["rows"], above="sm")
    versions = Column("Versions", "num", by=["versions_known"], above="md")
    models = Column("Models", "num", by=["models_benchmarked"], above="md")
    updated = Column("Updated", "num", by=["updated"], above="sm")

    class Meta(AtlasTable.Meta):
        empty_text = "A dataset appears here with the first model that names its tag."

    def render_name(self, record: Any) -> SafeString:
        """The tag, and below it what is wrong with it or its query."""
        href = reverse("dataset", args=[record.name])
        below = words.clipped(record.problem or record.query)
        if record.problem:
            below = format_html("{} {}", components.state("error", "No answer"), below)
        return format_html('<a class="model" href="{}">{}</a><small>{}</small>', href, record.name, below)

    def render_version(self, record: Any) -> SafeString | str:
        """The newest version."""
        return components.nothing() if record.newest is None else f"v{record.newest}"

    def render_query_id(self, record: Any) -> SafeString | str:
        """The query id of the newest version."""
        return record.query_id or components.nothing()

    def render_rows(self, record: Any) -> SafeString | str:
        """The rows of the newest version."""
        return components.nothing() if record.rows is None else formats.num(record.rows, 0)

    def render_versions(self, record: Any) -> str:
        """How many versions are known."""
        return formats.num(record.versions_known, 0)

    def render_models(self, record: Any) -> str:
        """How many models are benchmarked on it."""
        return formats.num(record.models_benchmarked, 0)

    def render_updated(self, record: Any) -> SafeString:
        """When the newest version was made."""
        return components.when_short(record.updated)


class DatasetList(RememberedView):
    """Every dataset tag."""

    template_name = "pages/datasets.html"
    table_class = DatasetTable
    filterset_class = DatasetFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All tags, with their newest versions."""
        return queries.datasets().order_by("name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A version on the timeline."""

    number: int
    created: datetime
    change: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How many rows have one value: `share` of all rows, and its change in percentage points."""

    name: str
    rows: int
    share: float
    points: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How the rows spread over labels, cars or environments; the rarest are `left_out`."""

    title: str
    term: str
    parts: list[Part]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a version changed since the one before."""

    rows: int
    evaluation_rows: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    retyped: tuple[str, ...]
    new_labels: tuple[str, ...]
    lost_labels: tuple[str, ...]
    missing: float | None
    missing_before: float | None

    @property
    def same_schema(self) -> bool:
        """Whether the columns stayed as they were."""
        return not (self.added or self.removed or self.retyped)


def difference(earlier: DatasetDescription, later: DatasetDescription) -> Difference:
    """What the later of two versions changed."""
    before = {column.name: column.dtype for column in earlier.columns}
    after = {column.name: column.dtype for column in later.columns}
    old_labels, new_labels = earlier.statistics.labels, later.statistics.labels
    return Difference(
        rows=later.rows - earlier.rows,
        evaluation_rows=later.splits[Split.EVALUATION].rows - earlier.splits[Split.EVALUATION].rows,
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        retyped=tuple(
            f"{name} ({before[name]} to {dtype})" for name, dtype in after.items() if before.get(name, dtype) != dtype
        ),
        new_labels=tuple(label for label in new_labels if label not in old_labels),
        lost_labels=tuple(label for label in old_labels if label not in new_labels),
        missing=_missing(later.statistics),
        missing_before=_missing(earlier.statistics),
    )


def _missing(statistics: Statistics) -> float | None:
    """The share of values that are missing, of all columns that have a summary."""
    values = statistics.rows * len(statistics.columns)
    return sum(column.missing for column in statistics.columns) / values if values else None


def dataset(request: HttpRequest, name: str) -> HttpResponse:
    """All that is known of a dataset tag and one of its versions: the newest, or `?version=`."""
    asked = request.GET.get("version", "")
    if asked and not (asked.isascii() and asked.isdigit()):
        raise Http404
    page = queries.dataset_page(name, int(asked) if asked else None)
    if page is None:
        raise Http404
    context = {
        "page": page,
        "tag": page.tag,
        "crumbs": [("Datasets", reverse("datasets"))],
        "version": page.version,
        "steps": list(_steps(page)),
        "results": list(_results(page.benchmarks[: queries.MOST_BENCHMARKS])) if page.version else [],
        "has_more": page.version and len(page.benchmarks) > queries.MOST_BENCHMARKS,
        **(_contents(page.description, page.earlier) if page.description else {}),
        **(_drift(page.description) if page.description else {}),
    }
    return render(request, "pages/dataset.html", context)


def _drift(shown: DatasetDescription) -> dict[str, object]:
    """How far the version has moved from the one before."""
    card, columns = drift_cards.of_version(shown.tag, shown.number)
    return {"drift": card, "moved": columns}


def _steps(page: queries.DatasetPage) -> Iterator[Step]:
    rows_before = None
    for version in page.versions:
        change = version.rows - rows_before if rows_before is not None else None
        yield Step(
            number=version.number,
            created=version.created,
            change="first version" if change is None else f"{formats.num(change, 0, sign=True)} rows",
            here=version == page.version,
        )
        rows_before = version.rows


def _results(benchmarks: Sequence[Any]) -> Iterator[tuple[Any, bool]]:
    """Each benchmark, and whether it is the best of its use case by its primary metric, or as good as the best."""
    for _, group in groupby(benchmarks, lambda each: (each.model.use_case, each.metric)):
        rows = list(group)
        for each in rows:
            yield each, each.score is not None and each.score == rows[0].score and len(rows) > 1


def _contents(shown: DatasetDescription, earlier: DatasetDescription | None) -> dict[str, object]:
    """What the version holds, and how that differs from the version before."""
    summarised = {column.name for column in shown.statistics.columns}
    return {
        "facts": _facts(shown),
        "difference": difference(earlier, shown) if earlier else None,
        "distributions": list(_distributions(shown.statistics, earlier.statistics if earlier else None)),
        "columns": shown.statistics.columns,
        "signals": [column for column in shown.columns if _is_signal(column) and column.name not in summarised],
    }


def _is_signal(column: ColumnSchema) -> bool:
    return column.dtype.startswith(("list", "large_list"))


def _facts(shown: DatasetDescription) -> list[tuple[str, object]]:
    evaluation = shown.splits[Split.EVALUATION].rows
    return [
        ("Version", f"v{shown.number}"),
        ("Query id", _to_copy(shown.query_id)),
        ("Rows", formats.num(shown.rows, 0)),
        ("Test rows", f"{evaluation:,} ({formats.share(evaluation / shown.rows if shown.rows else None)})"),
        ("Columns", formats.num(len(shown.columns), 0)),
        ("Target", shown.target),
        ("Taken", components.when(shown.created)),
    ]


def _to_copy(query_id: str) -> SafeString:
    return format_html('<span id="query-id">{}</span>{}', query_id, components.copy("query-id", "the query id"))


def _distributions(now: Statistics, before: Statistics | None) -> Iterator[Distribution]:
    for title, term in (("Labels", "Label"), ("Damage", "Damage"), ("Cars", "Car"), ("Environments", "Environment")):
        counts, counts_before = (getattr(each, title.lower(), None) for each in (now, before))
        earlier = _shares(counts_before, before.rows) if before and counts_before is not None else None
        parts = list(_parts(counts or {}, now.rows, earlier))
        if parts:
            yield Distribution(title=title, term=term, parts=parts[:MOST_VALUES], left_out=len(parts[MOST_VALUES:]))


def _parts(counts: Mapping[str, int], rows: int, earlier: Mapping[str, float] | None) -> Iterator[Part]:
    """The values, the most frequent first, which a database does not keep in order; last those that are gone."""
    counts = {**dict.fromkeys(earlier or (), 0), **counts}
    shares = _shares(counts, rows)
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        points = None if earlier is None else 100 * (shares[name] - earlier.get(name, 0))
        yield Part(name=name, rows=counts[name], share=shares[name], points=points)


def _shares(counts: Mapping[str, int], rows: int) -> dict[str, float]:
    return {name: count / max(rows, 1) for name, count in counts.items()}
