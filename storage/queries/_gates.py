"""Stages of models and the gates before them: rules, champions, history, and what a model is judged by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from django.db.models import Count, OuterRef, QuerySet, Subquery

from atlas.gates import Facts, OnVersion, Rule
from atlas.states import ModelState, State
from atlas.watching import GateKind, Stage
from storage.models import Alert, Benchmark, DatasetVersion, GateRule, Model, ModelStage, StageChange
from storage.queries._lists import LONG_FIELDS, use_cases
from storage.queries._metrics import metric_value

MOST_CANDIDATES_SHOWN = 5
"""So many candidates of a use case are named where there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedVersion:
    """The newest version of a tag that a model has in common with its champion, and the keys of both results.

    `missing` says in a sentence which result there is not; a key is None then.
    """

    tag: str
    version: int | None
    own: int | None
    champions: int | None
    missing: str


@dataclass(frozen=True, kw_only=True)
class GateSubject:
    """A model before the gate of its use case.

    Attributes:
        model: with its stage, if somebody gave it one.
        rules: of the gate.
        facts: what is known of it, but for how it compares with the champion.
        champion: the model that is champion; None if there is none.
        shared: where both can be compared; empty if there is nobody to compare it with, or no rule asks for it.
    """

    model: Model
    rules: tuple[Rule, ...]
    facts: Facts
    champion: Model | None
    shared: tuple[SharedVersion, ...]


@dataclass(frozen=True, kw_only=True)
class GateOverview:
    """A use case: who is its champion, who may become it, and what is asked of them.

    `since` is the change that made the champion what it is; `candidates` are at most `MOST_CANDIDATES_SHOWN`.
    """

    use_case: str
    champion: ModelStage | None
    since: StageChange | None
    candidates: tuple[ModelStage, ...]
    number_of_candidates: int
    rules: tuple[GateRule, ...]


# Rules, stages, history ---------------------------------------------------------------------------------------------


def gate_rules(use_case: str = "") -> QuerySet[GateRule]:
    """The rules of all gates, or those of one use case."""
    return GateRule.objects.filter(use_case=use_case) if use_case else GateRule.objects.all()


def gate_rule(pk: int) -> GateRule | None:
    """A rule; None if there is none of this key."""
    return GateRule.objects.filter(pk=pk).first()


def stage_changes() -> QuerySet[StageChange]:
    """Who moved which model from one stage to another, and why; the latest first."""
    return StageChange.objects.all()


def use_cases_in_history() -> list[str]:
    """The use cases in which somebody moved a model, by name; there may be no model of them any more."""
    return list(StageChange.objects.order_by("use_case").values_list("use_case", flat=True).distinct())


def stages_of(models: Iterable[int]) -> dict[int, Stage]:
    """Where each of these models stands that somebody gave a stage."""
    found = ModelStage.objects.filter(model__in=list(models)).values_list("model", "stage")
    return {pk: Stage(stage) for pk, stage in found}


def champion_of(use_case: str) -> ModelStage | None:
    """The champion of a use case, with its model."""
    return _staged().filter(use_case=use_case, stage=Stage.CHAMPION).first()


def stage_of(model: Model) -> Stage | None:
    """Where a model stands; None if nobody gave it a stage. It takes no query if the row was read with its stage."""
    staged = getattr(model, "stage", None)
    return Stage(staged.stage) if staged else None


def use_cases_with_gates() -> list[str]:
    """All use cases that have models or rules, by name."""
    return sorted({*use_cases(), *GateRule.objects.order_by().values_list("use_case", flat=True).distinct()})


def gate_overviews(names: Sequence[str]) -> list[GateOverview]:
    """Champions, candidates and rules of these use cases, in this order."""
    champions = {each.use_case: each for each in _staged().filter(use_case__in=names, stage=Stage.CHAMPION)}
    since = _latest_changes([each.model_id for each in champions.values()])
    rules, candidates = list(GateRule.objects.filter(use_case__in=names)), _candidates(names)
    counts = dict(_staged_as(Stage.CANDIDATE, names).values("use_case").annotate(n=Count("pk")).values_list(*_COUNTED))
    return [
        GateOverview(
            use_case=name,
            champion=(champion := champions.get(name)),
            since=since.get(champion.model_id) if champion else None,
            candidates=tuple(each for each in candidates if each.use_case == name),
            number_of_candidates=counts.get(name, 0),
            rules=tuple(rule for rule in rules if rule.use_case == name),
        )
        for name in names
    ]


_COUNTED = ("use_case", "n")


def _staged() -> QuerySet[ModelStage]:
    return ModelStage.objects.select_related("model").defer("model__manifest")


def _staged_as(stage: Stage, names: Sequence[str]) -> QuerySet[ModelStage]:
    return ModelStage.objects.filter(use_case__in=names, stage=stage).order_by()


def _candidates(names: Sequence[str]) -> list[ModelStage]:
    """The latest candidates of each use case."""
    own = ModelStage.objects.filter(use_case=OuterRef("use_case"), stage=Stage.CANDIDATE).order_by("-since", "-pk")
    few = own.values("pk")[:MOST_CANDIDATES_SHOWN]
    return list(_staged().filter(use_case__in=names, stage=Stage.CANDIDATE, pk__in=few).order_by("-since", "-pk"))


def _latest_changes(models: Iterable[int]) -> dict[int | None, StageChange]:
    latest = StageChange.objects.filter(model=OuterRef("model")).order_by("-made", "-pk").values("pk")[:1]
    found = StageChange.objects.filter(model__in=list(models), pk=Subquery(latest)).defer("checks")
    return {change.model_id: change for change in found}


# What a model is judged by ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newest:
    """The newest version of a tag; all None if it has none."""

    tag: str
    number: int | None = None
    digest: str | None = None

    @classmethod
    def of(cls, tag: str, version: DatasetVersion | None) -> Self:
        """That of a tag of this name."""
        return cls(tag=tag, number=version.number, digest=version.digest) if version else cls(tag=tag)


def gate_subject(pk: int) -> GateSubject | None:
    """A model before the gate of its use case, for which it has to be ready; None if there is no such model."""
    model = Model.objects.select_related("stage").filter(pk=pk, state=ModelState.READY).defer("manifest").first()
    if model is None:
        return None
    rules = tuple(Rule(kind=GateKind(row.kind), metric=row.metric, threshold=row.threshold) for row in _rules(model))
    staged = champion_of(model.use_case)
    champion = staged.model if staged else None
    newest = _newest(model)
    other = champion if champion and champion.pk != model.pk else None
    results = _results([each for each in (model, other) if each], newest)
    compares = other is not None and any(rule.kind is GateKind.NOT_WORSE for rule in rules)
    return GateSubject(
        model=model,
        rules=rules,
        facts=_facts(model, champion, newest, results),
        champion=champion,
        shared=_shared(model, other, newest, results) if other and compares else (),
    )


def _rules(model: Model) -> QuerySet[GateRule]:
    return gate_rules().filter(use_case=model.use_case)


def _newest(model: Model) -> list[_Newest]:
    """The newest version of each of a model's tags, by the tag's name."""
    versions = DatasetVersion.objects.filter(tag=OuterRef("pk")).order_by("-number").values("pk")[:1]
    tags = list(model.tags.annotate(newest=Subquery(versions)).order_by("name"))
    found = DatasetVersion.objects.only("number", "digest").in_bulk([tag.newest for tag in tags if tag.newest])
    return [_Newest.of(tag.name, found.get(tag.newest)) for tag in tags]


def _results(models: Sequence[Model], newest: Sequence[_Newest]) -> dict[tuple[int, str], Benchmark]:
    """The benchmarks of models on some versions by model and digest of the data: of equal data there is but one."""
    found = (
        Benchmark.objects.filter(
            model__in=models,
            model_digest__in=[model.digest for model in models],
            dataset_digest__in=[each.digest for each in newest if each.digest],
        )
        .select_related("drift")
        .prefetch_related("metrics")
        .defer(*LONG_FIELDS, "drift__document", "drift__predictions")
    )
    return {(benchmark.model_id, benchmark.dataset_digest): benchmark for benchmark in found.order_by("pk")}


Results = dict[tuple[int, str], Benchmark]


def _facts(model: Model, champion: Model | None, newest: Sequence[_Newest], results: Results) -> Facts:
    open_alerts = Alert.objects.filter(model=model, recovered=None).values_list("text", flat=True)
    return Facts(
        model=model.name,
        primary_metric=model.primary_metric,
        versions=tuple(_on_version(each, results.get((model.pk, each.digest or ""))) for each in newest),
        alerts=tuple(open_alerts),
        champion=champion.name if champion else "",
        is_champion=champion is not None and champion.pk == model.pk,
    )


def _on_version(newest: _Newest, benchmark: Benchmark | None) -> OnVersion:
    missing = why_no_result(benchmark)
    if missing or benchmark is None:
        return OnVersion(tag=newest.tag, version=newest.number, missing=missing)
    drift = getattr(benchmark, "drift", None)
    return OnVersion(
        tag=newest.tag,
        version=newest.number,
        metrics=tuple(map(metric_value, benchmark.metrics.all())),
        share_moved=drift.share_moved if drift else None,
        drift_unknown=drift.unknown if drift else "",
    )


def why_no_result(benchmark: Benchmark | None) -> str:
    """Why a benchmark has no result, or none that counts; empty if it has one."""
    if benchmark is None:
        return "no benchmark is queued yet"
    match State(benchmark.state):
        case State.DONE:
            return ""
        case State.QUEUED:
            return "the benchmark waits in the queue"
        case State.RUNNING:
            return "the benchmark is running"
        case State.CANCELLED:
            return "the benchmark was cancelled"
        case State.INCOMPATIBLE:
            return f"it cannot be benchmarked there: {benchmark.reason}"
    return f"the benchmark failed: {benchmark.reason}"


def _shared(model: Model, champion: Model, newest: Sequence[_Newest], results: Results) -> tuple[SharedVersion, ...]:
    """The newest version of each tag that both have."""
    theirs = set(champion.tags.values_list("name", flat=True))
    return tuple(_shared_version(model, champion, each, results) for each in newest if each.tag in theirs)


def _shared_version(model: Model, champion: Model, newest: _Newest, results: Results) -> SharedVersion:
    own, other = (results.get((each.pk, newest.digest or "")) for each in (model, champion))
    on = f"{newest.tag} v{newest.number}" if newest.number else newest.tag
    missing = [
        f"{whose} has no result on {on}: {why.rstrip('.')}."
        for whose, why in (("it", why_no_result(own)), ("the champion", why_no_result(other)))
        if why
    ]
    return SharedVersion(
        tag=newest.tag,
        version=newest.number,
        own=own.pk if own else None,
        champions=other.pk if other else None,
        missing=missing[0] if missing else "",
    )
