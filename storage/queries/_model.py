"""What the page of one model shows."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import (
    Q,
    QuerySet,
)

from atlas.manifest import Manifest
from atlas.results import HyperparameterGroup
from atlas.states import ModelState, State
from storage.models import (
    Benchmark,
    LogEntry,
    Model,
)
from storage.queries._history import HistoryPoint, history
from storage.queries._lists import benchmarks, models

MOST_SHOWN = 12
"""So many versions of a model are on its page."""


@dataclass(frozen=True)
class ModelPage:
    """Everything that the page of one model shows."""

    model: Model

    @cached_property
    def manifest(self) -> Manifest | None:
        """What the bundle says of itself, if it could be read."""
        return Manifest.model_validate(self.model.manifest) if self.model.manifest else None

    @cached_property
    def benchmarks(self) -> list[Benchmark]:
        """Its benchmarks, by tag, the newest version first."""
        found = benchmarks().filter(model=self.model)
        return list(found.order_by("dataset_version__tag__name", "-dataset_version__number"))

    @cached_property
    def history(self) -> list[HistoryPoint]:
        """All its metrics over all versions of its tags."""
        return history([self.model.pk])

    @cached_property
    def hyperparameters(self) -> list[HyperparameterGroup]:
        """The hyperparameters that its newest benchmark found, step by step."""
        newest = Benchmark.objects.filter(model=self.model, state=State.DONE).order_by("-finished").first()
        return hyperparameters_of(newest) if newest else []

    @cached_property
    def previous(self) -> "ModelPage | None":
        """The version of the model before this one."""
        return previous_version(self.model)

    @cached_property
    def versions(self) -> list[Model]:
        """All versions of the model, the latest first, itself among them, at most `MOST_SHOWN` as rows of `models()`:
        the nearest ones."""
        own = family_of(self.model)
        place = own.index(self.model.pk) if self.model.pk in own else 0
        start = max(min(place - MOST_SHOWN // 2, len(own) - MOST_SHOWN), 0)
        found = models().filter(pk__in=own[start : start + MOST_SHOWN])
        return list(found.order_by("-created", "-pk"))

    @cached_property
    def explained_on(self) -> int | None:
        """The key of the benchmark on the newest dataset version that has an explanation."""
        found = Benchmark.objects.filter(model=self.model, state=State.DONE, explanation__impossible="")
        return found.order_by("-dataset_version__created", "-pk").values_list("pk", flat=True).first()

    @cached_property
    def log(self) -> list[LogEntry]:
        """The latest lines about it and its benchmarks."""
        own = Q(model=self.model) | Q(benchmark__in=[benchmark.pk for benchmark in self.benchmarks])
        return list(LogEntry.objects.filter(own)[:20])


def model_page(pk: int) -> ModelPage | None:
    """What is known of a model file, or None if there is none."""
    found = Model.objects.select_related("author", "stage").prefetch_related("tags").filter(pk=pk).first()
    return ModelPage(found) if found else None


_MOST_VERSIONS = 500
"""How many of the latest models that may be earlier versions of one are looked at."""
_FEWEST_DIGITS = 8
"""Of a number at the end of a name that is a time stamp: the 50 of ResNet-50 is none."""


def previous_version(model: Model) -> ModelPage | None:
    """The latest model that was made earlier for the same use case, of the same name up to version and time stamp."""
    if model.created is None:
        return None
    found = _of_family(model, Model.objects.filter(created__lt=model.created))
    return ModelPage(Model.objects.get(pk=found[0])) if found else None


def family_of(model: Model) -> list[int]:
    """The keys of all versions of a model, itself among them, the latest first."""
    return _of_family(model, Model.objects.all()) if model.created else []


def _of_family(model: Model, among: QuerySet[Model]) -> list[int]:
    family = _family(model.name, model.version)
    same = among.filter(state=ModelState.READY, use_case=model.use_case, name__startswith=family)
    named = same.order_by("-created", "-pk").values_list("pk", "name", "version")
    return [pk for pk, name, version in named[:_MOST_VERSIONS] if _family(name, version) == family]


def _family(name: str, version: str) -> str:
    """What all versions of a model have in common: `Forest` of `Forest-1.0.0-1625660010`, whose version is 1.0.0."""
    family, found, _ = f"{name}-".rpartition(f"-{version}-")
    if found:
        return family
    head, _, stamp = name.rpartition("-")
    return head if stamp.isdecimal() and len(stamp) >= _FEWEST_DIGITS else name


def hyperparameters_of(benchmark: Benchmark) -> list[HyperparameterGroup]:
    """The hyperparameters that a benchmark found, step by step."""
    return [HyperparameterGroup.model_validate(group) for group in benchmark.hyperparameters]
