"""Pairs of benchmarks compared event by event; what was found once is kept in Django's cache."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from threadpoolctl import threadpool_limits

from atlas import predictions
from atlas.errors import AtlasError, ObjectNotFoundError, ObjectStoreError
from atlas.metrics import REGISTRY
from atlas.paired import Difference, Discordance, discordance, paired
from atlas.predictions import StoredAnswers
from atlas.vocabulary import Task
from atlas_web.joined import CannotBePairedError, aligned
from atlas_web.objects import content
from storage.queries import ChosenBenchmark
from ui import formats

KEPT_SECONDS = 24 * 3600
VERSION = 1
"""Counts up when the same predictions give other differences."""
MOST_EVENTS = 2_000_000
"""Events that both of a pair answered, beyond which nothing is paired: the arrays would not fit beside each other."""

WHILE_AWAY = "The object store does not answer, so the events could not be compared one by one; try again in a moment."
GONE = "A file of predictions is gone, so the events could not be compared one by one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A benchmark beside the reference, event by event.

    `differences` has the metrics that could be compared, by name; `problem` says why there are none.
    """

    differences: dict[str, Difference]
    discordance: Discordance | None = None
    problem: str = ""


def unpaired_because(reference: ChosenBenchmark, other: ChosenBenchmark) -> str:
    """Why two benchmarks cannot be compared event by event; empty if nothing is known that speaks against it."""
    one, two = reference.benchmark, other.benchmark
    if one.dataset_version_id != two.dataset_version_id:
        return "They were measured on different dataset versions, so this is not a paired comparison."
    if one.model.task != two.model.task or reference.manifest.target != other.manifest.target:
        return "They do not predict the same thing."
    if set(_classes(reference)) != set(_classes(other)):
        return "They do not tell the same classes apart."
    if one.model.task == Task.BINARY and _classes(reference)[-1] != _classes(other)[-1]:
        return "They do not have the same positive class."
    if not (one.predictions_key and two.predictions_key):
        return "Predictions were not kept of both, so this is not a paired comparison; run the benchmark again."
    if one.dataset_version.evaluation_rows > MOST_EVENTS:
        return f"There are more than {formats.num(MOST_EVENTS, 0)} events, too many to compare one by one here."
    return ""


def _classes(of: ChosenBenchmark) -> list[str]:
    return [str(label) for label in of.manifest.classes]


def pairs(reference: ChosenBenchmark, others: Sequence[ChosenBenchmark]) -> dict[int, Pair]:
    """Each of some benchmarks beside the reference, by its key; read from the store what the cache does not have."""
    kept = _kept(reference, others)
    found = dict(_made(reference, [other for other in others if other.benchmark.pk not in kept]))
    lasting = {_key(reference, other): found[pk] for other in others if _lasts(found.get(pk := other.benchmark.pk))}
    cache.set_many(lasting, KEPT_SECONDS)
    return kept | found


def are_known(reference: ChosenBenchmark, others: Sequence[ChosenBenchmark]) -> bool:
    """Whether all that can be compared event by event has been, so that it takes no time."""
    asked = [other for other in others if not unpaired_because(reference, other)]
    return len(_kept(reference, asked)) == len(asked)


def _kept(reference: ChosenBenchmark, others: Sequence[ChosenBenchmark]) -> dict[int, Pair]:
    keys = {_key(reference, other): other.benchmark.pk for other in others}
    return {keys[key]: pair for key, pair in cache.get_many(list(keys)).items()}


def _lasts(pair: Pair | None) -> bool:
    """Whether a pair would be the same if it were looked at again."""
    return pair is not None and not pair.problem


def _key(reference: ChosenBenchmark, other: ChosenBenchmark) -> str:
    """Both files of predictions and the metrics that they are measured by."""
    names = (each.benchmark.predictions_key for each in (reference, other))
    parts = "\n".join([*names, *_metrics(reference, other)])
    return f"alchemy-{VERSION}-{hashlib.sha256(parts.encode()).hexdigest()}"


def _metrics(reference: ChosenBenchmark, other: ChosenBenchmark) -> list[str]:
    """The metrics of the registry that both were measured by."""
    theirs = {metric.name for metric in other.metrics}
    return [metric.name for metric in reference.metrics if metric.name in theirs and metric.name in REGISTRY]


def _made(reference: ChosenBenchmark, others: Sequence[ChosenBenchmark]) -> Iterator[tuple[int, Pair]]:
    base: StoredAnswers | None = None
    for other in others:
        problem = unpaired_because(reference, other)
        if not problem:
            try:
                base = base or _read(reference)
                yield other.benchmark.pk, _pair(base, _read(other), _metrics(reference, other))
                continue
            except AtlasError as error:
                problem = _reason(error)
        yield other.benchmark.pk, Pair(differences={}, problem=problem)


def _read(of: ChosenBenchmark) -> StoredAnswers:
    benchmark = of.benchmark
    return predictions.read(content(benchmark.predictions_key), Task(benchmark.model.task), _classes(of))


def _pair(reference: StoredAnswers, other: StoredAnswers, metrics: Sequence[str]) -> Pair:
    """Small products of matrices in one thread: a thread for each core would wait for the others on a busy machine."""
    one, two = aligned(reference, other)
    with threadpool_limits(1, user_api="blas"):
        differences = {name: paired(one, two, name) for name in metrics}
    return Pair(differences=differences, discordance=discordance(one, two))


def _reason(error: AtlasError) -> str:
    if isinstance(error, CannotBePairedError):
        return str(error)
    if isinstance(error, ObjectNotFoundError):
        return GONE
    return WHILE_AWAY if isinstance(error, ObjectStoreError) else str(error)
