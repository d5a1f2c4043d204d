"""Benchmarks beside each other: what the comparison workbench shows, as one document. No Django."""

from typing import ClassVar

from pydantic import Field

from atlas.paired import Difference, Discordance, Finding
from atlas.results import ConfusionMatrix
from atlas.vocabulary import Document, Task, Text

MOST_BENCHMARKS = 12


class ComparedBenchmark(Document):
    """A chosen benchmark. `mark` is the letter that stands for it; `rows` is the number of its test rows.

    Costs are None where nobody measured them: latency of one event at a time, in seconds; memory and size in bytes.
    """

    mark: Text
    benchmark: int
    model: str
    dataset: Text
    version: int
    use_case: str
    task: Task
    rows: int
    latency_p50_seconds: float | None = None
    latency_p95_seconds: float | None = None
    peak_memory_bytes: int | None = None
    size_bytes: int | None = None
    confusion_matrix: ConfusionMatrix | None = None


class ComparedMetric(Document):
    """A metric of all chosen benchmarks, in their order: its values with their 95 % intervals, None where it was not
    measured, and the difference of each from the reference, None for the reference itself."""

    name: Text
    greater_is_better: bool
    values: tuple[float | None, ...]
    lows: tuple[float | None, ...]
    highs: tuple[float | None, ...]
    differences: tuple[Difference | None, ...]


class ComparedHyperparameter(Document):
    """A hyperparameter of all chosen benchmarks, in their order, as text; None where a model has none of the name.

    `is_default` says that no author chose it: each model that has it has the default of its library.
    """

    step: str
    name: Text
    values: tuple[str | None, ...]
    is_default: bool = False

    @property
    def differs(self) -> bool:
        """Whether the benchmarks have not all the same."""
        return len(set(self.values)) > 1

    @property
    def is_idle(self) -> bool:
        """Whether it is a default that no two models have differently, which tells nothing of their difference."""
        return self.is_default and len(set(self.values) - {None}) <= 1


class Evidence(Document):
    """What the results say of one benchmark beside the reference, by the metric that was asked for.

    `sentence` says it for people, `notes` what else they should know: McNemar's test, costs, why it is not paired.
    """

    mark: Text
    reference: Text
    metric: Text
    difference: Difference
    discordance: Discordance | None = None
    sentence: str
    notes: tuple[str, ...] = ()

    @property
    def finding(self) -> Finding:
        """What the evidence supports."""
        return self.difference.finding


class Comparison(Document):
    """Benchmarks beside a reference: `reference` is its mark, `metric` the one that the evidence is about."""

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = Field(default=1, le=SCHEMA_VERSION)
    reference: Text
    metric: str
    benchmarks: tuple[ComparedBenchmark, ...]
    evidence: tuple[Evidence, ...] = ()
    metrics: tuple[ComparedMetric, ...] = ()
    hyperparameters: tuple[ComparedHyperparameter, ...] = ()
