"""Benchmarks beside each other, as the document that the workbench, its files, the API and `atlas compare` show."""

from collections.abc import Iterator, Mapping, Sequence

from atlas.comparison import ComparedBenchmark, ComparedHyperparameter, ComparedMetric, Comparison, Evidence
from atlas.paired import Difference, Discordance, Method, holm, judged, unpaired
from atlas.results import ConfusionMatrix, HyperparameterGroup, MetricValue
from atlas.vocabulary import Task
from atlas_web import evidenced
from atlas_web.alchemy import View
from atlas_web.pairs import Pair, pairs
from explainability.hyperparameters import of_the_author
from storage.queries import ChosenBenchmark, metric_value


def compare(view: View) -> Comparison:
    """The chosen benchmarks beside the reference.

    Two that answered the same events are paired, event by event; of others, the intervals of both are compared. p
    values are corrected by Holm's method for the number of benchmarks that the reference is compared with.

    Raises:
        ValueError: nothing is chosen.
    """
    reference = view.reference
    if reference is None:
        raise ValueError("there is nothing to compare")
    found = pairs(reference, view.others)
    metrics = tuple(_metric(view, found, name) for name in _names(view))
    return Comparison(
        reference=view.mark(reference),
        metric=view.metric,
        benchmarks=tuple(_benchmark(view, each) for each in view.chosen),
        evidence=tuple(_evidence(view, found, metrics)),
        metrics=metrics,
        hyperparameters=tuple(_hyperparameters(view.chosen)),
    )


def _names(view: View) -> list[str]:
    """The metrics of all, those of the reference first."""
    others = (metric.name for each in view.others for metric in each.metrics)
    return list(dict.fromkeys([*view.metrics, *others]))


def _benchmark(view: View, chosen: ChosenBenchmark) -> ComparedBenchmark:
    benchmark, matrix = chosen.benchmark, chosen.confusion_matrix
    return ComparedBenchmark(
        mark=view.mark(chosen),
        benchmark=benchmark.pk,
        model=benchmark.model.name,
        dataset=benchmark.dataset_version.tag.name,
        version=benchmark.dataset_version.number,
        use_case=benchmark.model.use_case,
        task=Task(benchmark.model.task),
        rows=benchmark.dataset_version.evaluation_rows,
        latency_p50_seconds=benchmark.latency_p50_seconds,
        latency_p95_seconds=benchmark.latency_p95_seconds,
        peak_memory_bytes=benchmark.peak_memory_bytes,
        size_bytes=benchmark.model.size_bytes,
        confusion_matrix=ConfusionMatrix(classes=tuple(matrix[0]), counts=tuple(map(tuple, matrix[1])))
        if matrix
        else None,
    )


def _values(chosen: ChosenBenchmark) -> dict[str, MetricValue]:
    return {metric.name: metric_value(metric) for metric in chosen.metrics}


def _metric(view: View, found: Mapping[int, Pair], name: str) -> ComparedMetric:
    known = [_values(each).get(name) for each in view.chosen]
    greater_is_better = next(value.greater_is_better for value in known if value)
    base = next(value for each, value in zip(view.chosen, known, strict=True) if each is view.reference)
    differences = [
        difference(base, value, found[each.benchmark.pk].differences.get(name))
        for each, value in zip(view.chosen, known, strict=True)
        if each is not view.reference
    ]
    judgements = iter(judged(differences, greater_is_better=greater_is_better))
    return ComparedMetric(
        name=name,
        greater_is_better=greater_is_better,
        values=tuple(value.value if value else None for value in known),
        lows=tuple(value.low if value else None for value in known),
        highs=tuple(value.high if value else None for value in known),
        differences=tuple(None if each is view.reference else next(judgements) for each in view.chosen),
    )


def difference(base: MetricValue | None, value: MetricValue | None, pair: Difference | None) -> Difference:
    """The paired difference, or that of the intervals where pairs tell none; unknown if one was not measured by it."""
    if pair is not None and pair.is_known:
        return pair
    if base is None or value is None or base.greater_is_better != value.greater_is_better:
        return Difference()
    return unpaired(base, value)


def _evidence(view: View, found: Mapping[int, Pair], metrics: Sequence[ComparedMetric]) -> list[Evidence]:
    metric = next((each for each in metrics if each.name == view.metric), None)
    if metric is None or view.reference is None:
        return []
    tests = _corrected([found[each.benchmark.pk].discordance for each in view.others])
    differences = [each for each in metric.differences if each is not None]
    return [
        evidenced.evidence(
            view,
            other,
            metric,
            difference,
            discordance=test,
            problem="" if difference.method is Method.PAIRED else found[other.benchmark.pk].problem,
        )
        for other, difference, test in zip(view.others, differences, tests, strict=True)
    ]


def _corrected(tests: Sequence[Discordance | None]) -> list[Discordance | None]:
    adjusted = holm([test.p if test else None for test in tests])
    return [test and test.model_copy(update={"adjusted_p": p}) for test, p in zip(tests, adjusted, strict=True)]


def _hyperparameters(chosen: Sequence[ChosenBenchmark]) -> list[ComparedHyperparameter]:
    """Those of all, step by step in the order in which they first come; the kind of each step is one of them."""
    groups = [_groups(each) for each in chosen]
    flat = [dict(_flat(each)) for each in groups]
    by_author = {key for each in groups for key in _by_author(each)}
    return [
        ComparedHyperparameter(
            step=key[0], name=key[1], values=tuple(each.get(key) for each in flat), is_default=key not in by_author
        )
        for key in dict.fromkeys(key for each in flat for key in each)
    ]


def _groups(chosen: ChosenBenchmark) -> Sequence[HyperparameterGroup]:
    said = chosen.manifest.hyperparameters
    return chosen.hyperparameters or ([of_the_author(said)] if said else [])


def _by_author(groups: Sequence[HyperparameterGroup]) -> Iterator[tuple[str, str]]:
    """What is not known to be a default."""
    for group in groups:
        yield group.step, "estimator"
        yield from ((group.step, name) for name in (group.values if group.chosen is None else group.chosen))


def _flat(groups: Sequence[HyperparameterGroup]) -> list[tuple[tuple[str, str], str]]:
    return [
        ((group.step, name), value)
        for group in groups
        for name, value in [("estimator", group.estimator), *sorted(group.values.items())]
    ]
