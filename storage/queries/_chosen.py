"""On which dataset version, and by which metric, the models of each use case are ranked."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from atlas.states import ModelState, State
from storage.models import Benchmark, DatasetVersion, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardFilter:
    """What is ranked; what is empty narrows nothing.

    Attributes:
        use_case: one use case instead of all.
        tag: only versions of this dataset tag.
        version: the number of the tag's version; without one, the newest on which the use case has a result.
        metric: by which metric; without one, the primary metric of most models of the use case on the version.
    """

    use_case: str = ""
    tag: str = ""
    version: int | None = None
    metric: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is ranked of a use case: the key of a dataset version, the metric, and the number of benchmarks there."""

    use_case: str
    version: int
    metric: str
    benchmarks: int


def chosen(wanted: LeaderboardFilter) -> list[Chosen]:
    """What is ranked, by use case, with at most four queries.

    Nearly always the newest version of a use case's tags has a result. Only for the others all versions are looked at.
    """
    candidates = _candidates(wanted)
    any_state = bool(wanted.tag) and wanted.version is not None
    found = _standing({use_case: versions[:1] for use_case, versions in candidates.items()}, any_state=any_state)
    left = {use_case: versions[1:] for use_case, versions in candidates.items() if use_case not in found}
    found |= _standing(left, any_state=any_state)
    return [
        Chosen(
            use_case=use_case,
            version=version,
            metric=wanted.metric or min(counts, key=lambda name: (-counts[name], name)),
            benchmarks=counts.total(),
        )
        for use_case, (version, counts) in sorted(found.items())
    ]


def _candidates(wanted: LeaderboardFilter) -> dict[str, list[int]]:
    """The keys of the versions on which each use case may be ranked, newest first."""
    models = Model.objects.filter(state=ModelState.READY, tags__isnull=False)
    if wanted.use_case:
        models = models.filter(use_case=wanted.use_case)
    versions = DatasetVersion.objects.order_by("-created", "-pk")
    if wanted.tag:
        models, versions = models.filter(tags__name=wanted.tag), versions.filter(tag__name=wanted.tag)
        if wanted.version is not None:
            versions = versions.filter(number=wanted.version)
    tags: dict[str, set[int]] = defaultdict(set)
    for use_case, tag in models.order_by().values_list("use_case", "tags").distinct():
        tags[use_case].add(tag)
    known = list(versions.values_list("pk", "tag"))
    return {use_case: [pk for pk, tag in known if tag in own] for use_case, own in tags.items()}


def _standing(candidates: dict[str, list[int]], *, any_state: bool) -> dict[str, tuple[int, Counter[str]]]:
    """The first candidate of each use case that has a result, or any benchmark at all, and how many of its benchmarks
    are of models with which primary metric."""
    counts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    done: Counter[tuple[str, int]] = Counter()
    for use_case, version, metric, known, finished in _counted(candidates):
        counts[use_case, version][metric] = known
        done[use_case, version] += known if any_state else finished
    found = {}
    for use_case, versions in candidates.items():
        first = next((version for version in versions if done[use_case, version]), None)
        if first is not None:
            found[use_case] = (first, counts[use_case, first])
    return found


def _counted(candidates: dict[str, list[int]]) -> Iterable[tuple[str, int, str, int, int]]:
    """Use case, version and primary metric of the benchmarks on candidates, how many there are, and how many done."""
    keys = ("model__use_case", "dataset_version", "model__primary_metric")
    benchmarks = Benchmark.objects.filter(
        dataset_version__in={version for versions in candidates.values() for version in versions},
        model__use_case__in=list(candidates),
        model__state=ModelState.READY,
    )
    counts = {"known": Count("pk"), "finished": Count("pk", filter=Q(state=State.DONE))}
    return benchmarks.order_by().values_list(*keys).annotate(**counts)
