"""What the gate of a use case says of a model: read from the tables and, event by event, from the object store."""

from collections.abc import Iterator

from atlas.gates import BesideChampion, Outcome, Rule
from atlas.metrics import REGISTRY
from atlas.paired import judged
from atlas.results import MetricValue
from atlas.watching import GateKind
from atlas_web.comparison import difference
from atlas_web.pairs import pairs
from atlas_web.words import metric_title
from monitoring.gates import check
from storage import queries
from storage.queries import ChosenBenchmark, GateSubject, SharedVersion, metric_value


def problems_of(rule: Rule) -> dict[str, str]:
    """What is wrong with a rule that somebody made up, by the names of the fields."""
    is_known = not rule.metric or rule.metric in REGISTRY or rule.metric in queries.metric_names()
    unknown = {} if is_known else {"metric": f"No model is measured by {rule.metric}."}
    return unknown | rule.problems


def outcome_of(subject: GateSubject) -> Outcome:
    """What the gate says of a model now. Predictions of it and of the champion are read if a rule compares them."""
    facts = subject.facts.model_copy(update={"beside": tuple(_beside(subject))})
    return Outcome(
        use_case=subject.model.use_case,
        checks=tuple(check(subject.rules, facts)),
        champion=subject.champion.pk if subject.champion else None,
    )


def _beside(subject: GateSubject) -> Iterator[BesideChampion]:
    """The model beside the champion by each metric that rules ask for, wherever both have a result."""
    asked = (rule.metric or subject.model.primary_metric for rule in subject.rules if rule.kind is GateKind.NOT_WORSE)
    metrics = list(dict.fromkeys(asked))
    for shared in subject.shared:
        if shared.missing:
            known = {"tag": shared.tag, "version": shared.version, "missing": shared.missing}
            yield from (BesideChampion(metric=metric, **known) for metric in metrics)
        else:
            yield from _compared(shared, metrics)


def _compared(shared: SharedVersion, metrics: list[str]) -> Iterator[BesideChampion]:
    """Each metric by pairs of events, or by the intervals of both where pairs tell nothing."""
    chosen = queries.chosen_benchmarks([key for key in (shared.champions, shared.own) if key is not None])
    champion, own = chosen if len(chosen) == 2 else (None, None)
    found = pairs(champion, [own])[own.benchmark.pk].differences if champion and own else {}
    for metric in metrics:
        base, value = (_value(each, metric) for each in (champion, own))
        on = f"{shared.tag} v{shared.version}"
        if base is None or value is None:
            whose = "the champion" if base is None else "it"
            missing = f"{whose} was not measured by {metric_title(metric)} on {on}."
            yield BesideChampion(tag=shared.tag, version=shared.version, metric=metric, missing=missing)
            continue
        told = judged([difference(base, value, found.get(metric))], greater_is_better=value.greater_is_better)
        yield BesideChampion(
            tag=shared.tag,
            version=shared.version,
            metric=metric,
            greater_is_better=value.greater_is_better,
            difference=told[0],
        )


def _value(of: ChosenBenchmark | None, metric: str) -> MetricValue | None:
    rows = of.metrics if of else []
    return next((metric_value(row) for row in rows if row.name == metric), None)
