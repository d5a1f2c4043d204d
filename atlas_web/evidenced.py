"""What the results of two benchmarks say of which is better, in sentences."""

from collections.abc import Iterator

from atlas.comparison import ComparedMetric, Evidence
from atlas.paired import Difference, Discordance, Finding, Method
from atlas_web import words
from atlas_web.alchemy import View
from storage.queries import ChosenBenchmark
from ui import formats

SMALLEST_P = 0.001
ABOUT_AS_MUCH = 1.1
"""Costs whose ratio is smaller are not spoken of: they differ as much from one run to the next."""


def evidence(
    view: View,
    other: ChosenBenchmark,
    metric: ComparedMetric,
    difference: Difference,
    *,
    discordance: Discordance | None,
    problem: str,
) -> Evidence:
    """What one benchmark's difference from the reference says; `problem` is why it is not paired, if it is not."""
    assert view.reference is not None  # noqa: S101  # whoever has a difference has a reference
    mark, base = view.mark(other), view.mark(view.reference)
    return Evidence(
        mark=mark,
        reference=base,
        metric=metric.name,
        difference=difference,
        discordance=discordance,
        sentence=_sentence(mark, base, metric, difference),
        notes=tuple(_notes(view.reference, other, difference, discordance, problem, (mark, base))),
    )


def _sentence(mark: str, base: str, metric: ComparedMetric, difference: Difference) -> str:
    title, numbers = _lower(words.metric_title(metric.name)), _numbers(difference)
    match difference.finding:
        case Finding.BETTER | Finding.WORSE:
            return f"{mark} is {difference.finding} than {base} by {title}: {numbers}"
        case Finding.WITHIN_NOISE:
            return f"{mark} and {base} do not differ in {title} by more than noise: {numbers}"
    if difference.value is None:
        return f"{mark} and {base} cannot be compared by {title}: one of them has no value"
    return f"Nothing tells how sure the difference of {mark} and {base} in {title} is: {numbers}"


def _lower(title: str) -> str:
    """A title within a sentence: `Macro F1` becomes `macro F1`, `ROC AUC` and `R²` stay."""
    return title if len(title) < 2 or not title[1].islower() else title[0].lower() + title[1:]


def _numbers(difference: Difference) -> str:
    value = formats.num(difference.value, sign=True)
    if difference.low is None or difference.high is None:
        return value
    return f"{value} [{formats.num(difference.low)}, {formats.num(difference.high)}], {p_text(difference.adjusted_p)}"


def p_text(p: float | None) -> str:
    """A p value as the pages write it: `p = 0.003`, `p < 0.001`."""
    if p is None:
        return f"p {formats.NOTHING}"
    return f"p < {SMALLEST_P}" if p < SMALLEST_P else f"p = {formats.num(p)}"


def _notes(
    reference: ChosenBenchmark,
    other: ChosenBenchmark,
    difference: Difference,
    discordance: Discordance | None,
    problem: str,
    marks: tuple[str, str],
) -> Iterator[str]:
    mark, base = marks
    if discordance:
        yield (
            f"{mark} is right on {words.plural(discordance.only_other, 'event')} where {base} is wrong, and wrong on "
            f"{discordance.only_reference:,} where {base} is right: McNemar {p_text(discordance.adjusted_p)}."
        )
    if problem:
        yield problem
    yield from _caveats(reference, other, difference, problem)
    costs = list(_costs(reference, other))
    if costs:
        yield f"{mark} {' and '.join([', '.join(costs[:-1]), costs[-1]] if costs[1:] else costs)}."


def _caveats(reference: ChosenBenchmark, other: ChosenBenchmark, difference: Difference, problem: str) -> Iterator[str]:
    """What keeps the difference from saying more."""
    one, two = reference.benchmark.dataset_version, other.benchmark.dataset_version
    if difference.method is Method.UNPAIRED and difference.is_known:
        if one.pk == two.pk and not problem:
            yield "Both intervals are compared as if they were of different events, which is cautious."
        elif one.tag_id != two.tag_id:
            yield "The data are others too, so the difference is not of the models alone."


def _costs(reference: ChosenBenchmark, other: ChosenBenchmark) -> Iterator[str]:
    one, two = reference.benchmark, other.benchmark
    latency = _ratio(two.latency_p95_seconds, one.latency_p95_seconds)
    memory = _ratio(two.peak_memory_bytes, one.peak_memory_bytes)
    size = _ratio(two.model.size_bytes, one.model.size_bytes)
    if latency:
        yield f"takes {_times(latency)} as long at p95" if latency > 1 else f"is {_times(1 / latency)} as fast at p95"
    if memory:
        yield f"needs {_times(memory)} the memory" if memory > 1 else f"needs {_share(1 - memory)} less memory"
    if size:
        yield f"is {_times(size)} as large on disk" if size > 1 else f"is {_share(1 - size)} smaller on disk"


def _ratio(value: float | None, base: float | None) -> float | None:
    """How many times as much a cost is; None if it is unknown or about the same."""
    if not value or not base or 1 / ABOUT_AS_MUCH < value / base < ABOUT_AS_MUCH:
        return None
    return value / base


def _share(part: float) -> str:
    return formats.share(part, 0)


def _times(ratio: float) -> str:
    return f"{formats.num(ratio, 1 if ratio < 10 else 0)} times"
