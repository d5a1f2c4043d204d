"""Dataset tags, and the page of one."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import (
    Case,
    Count,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce

from atlas.datasets import DatasetDescription
from atlas.states import ModelState
from storage.models import (
    Benchmark,
    DatasetTag,
    DatasetVersion,
    Model,
)
from storage.queries._lists import benchmarks

MOST_BENCHMARKS = 100
"""So many benchmarks on one version are on the page of its tag; the list of benchmarks has them all."""


def datasets() -> QuerySet[DatasetTag]:
    """All tags, with `newest` (the number of the newest version), `query_id`, `rows`, `updated` of it, the number of
    `versions_known` and of `models_benchmarked` on the tag."""
    versions = DatasetVersion.objects.filter(tag=OuterRef("pk"))
    newest = versions.order_by("-number")
    benchmarked = Model.tags.through.objects.filter(datasettag=OuterRef("pk"), model__state=ModelState.READY)
    return DatasetTag.objects.annotate(
        newest=Subquery(newest.values("number")[:1]),
        versions_known=_number_of(versions.values("tag")),
        models_benchmarked=_number_of(benchmarked.values("datasettag")),
        query_id=Subquery(newest.values("query_id")[:1]),
        rows=Subquery(newest.values("rows")[:1]),
        updated=Subquery(newest.values("created")[:1]),
    )


def versions_of(tag: int) -> QuerySet[DatasetVersion]:
    """All versions of a tag without their descriptions, the newest first."""
    found = DatasetVersion.objects.filter(tag=tag).select_related("tag").defer("description")
    return found.order_by("-number")


def tags_with_versions() -> list[str]:
    """The names of the tags that have a version."""
    return list(DatasetTag.objects.filter(versions__isnull=False).distinct().values_list("name", flat=True))


def number_of_versions(tags: Collection[str]) -> int:
    """How many versions tags have together."""
    return DatasetVersion.objects.filter(tag__name__in=tags).count()


def newest_description(tag: str) -> DatasetDescription | None:
    """What the ingestion engine said of a tag's newest version; None if there is no such tag, or no version."""
    found = DatasetVersion.objects.filter(tag__name=tag).order_by("-number").values_list("description", flat=True)
    document = found.first()
    return None if document is None else DatasetDescription.model_validate(document)


def _number_of(grouped: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(grouped.order_by().annotate(number=Count("pk")).values("number")), 0)


@dataclass(frozen=True)
class DatasetPage:
    """Everything that the page of one dataset tag shows, for one of its versions."""

    tag: DatasetTag
    versions: list[DatasetVersion]
    """All versions without their descriptions, oldest first."""
    version: DatasetVersion | None

    @cached_property
    def before(self) -> DatasetVersion | None:
        """The version before."""
        place = self.versions.index(self.version) if self.version else 0
        return self.versions[place - 1] if place else None

    @cached_property
    def _descriptions(self) -> dict[int, DatasetDescription]:
        shown = [version.pk for version in (self.version, self.before) if version]
        found = DatasetVersion.objects.filter(pk__in=shown).values_list("pk", "description")
        return {pk: DatasetDescription.model_validate(document) for pk, document in found}

    @cached_property
    def description(self) -> DatasetDescription | None:
        """All that the ingestion engine said of the version."""
        return self._descriptions[self.version.pk] if self.version else None

    @cached_property
    def earlier(self) -> DatasetDescription | None:
        """The description of the version before."""
        return self._descriptions[self.before.pk] if self.before else None

    @cached_property
    def benchmarks(self) -> list[Benchmark]:
        """Benchmarks on the version, at most `MOST_BENCHMARKS` and one: by use case and primary metric, the best first,
        then those without a score, by name."""
        better = Case(When(greater_is_better=False, then=-F("score")), default=F("score"))
        found = benchmarks().filter(dataset_version=self.version).annotate(better=better)
        groups = ("model__use_case", "model__primary_metric")
        return list(found.order_by(*groups, F("better").desc(nulls_last=True), "model__name")[: MOST_BENCHMARKS + 1])


def dataset_page(name: str, number: int | None = None) -> DatasetPage | None:
    """What is known of a tag and one of its versions, the newest if no number is given; None if there is none."""
    tag = DatasetTag.objects.filter(name=name).first()
    if tag is None:
        return None
    versions = list(tag.versions.defer("description").order_by("number"))
    chosen = next((version for version in reversed(versions) if number in (None, version.number)), None)
    return None if chosen is None and number is not None else DatasetPage(tag, versions, chosen)
