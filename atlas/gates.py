"""Gates: the rules that a model has to pass before it becomes champion, and what is known of it to judge it by."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from atlas.paired import Difference
from atlas.results import MetricValue
from atlas.vocabulary import Document, Text
from atlas.watching import GateCheck, GateKind

OF_METRICS = (GateKind.METRIC, GateKind.NOT_WORSE)
"""The kinds of rules that are about one metric."""
WITH_THRESHOLD = (GateKind.METRIC, GateKind.DRIFT)
"""The kinds of rules that need a threshold."""
MetricName = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$", strip_whitespace=True)]


class Rule(Document):
    """What a gate asks of a model; `atlas.watching.GateKind` says what the threshold means.

    `metric` is empty for the primary one, and for kinds of rules that are about none.
    """

    kind: GateKind
    metric: MetricName = ""
    threshold: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with a rule that somebody made up, by the names of the fields."""
        found = {"metric": self._metric_problem(), "threshold": self._threshold_problem()}
        return {field: problem for field, problem in found.items() if problem}

    def _metric_problem(self) -> str:
        is_idle = self.metric and self.kind not in OF_METRICS
        return f"A rule of the kind “{self.kind}” is about no metric; leave this empty." if is_idle else ""

    def _threshold_problem(self) -> str:
        if self.kind not in WITH_THRESHOLD:
            is_idle = self.threshold is not None
            return f"A rule of the kind “{self.kind}” has no threshold; leave this empty." if is_idle else ""
        if self.threshold is None:
            return "Give the value that the metric has to reach, or the share of columns that may have moved."
        if self.kind is GateKind.DRIFT and not 0 <= self.threshold <= 1:
            return "A share of columns lies between 0 and 1: 0.2 is one column in five."
        return ""


class OnVersion(Document):
    """What is known of a model on the newest version of one of its tags.

    Attributes:
        tag: its name.
        version: the number of its newest version; None if it has none.
        missing: why there is no result, as it follows `It has no result on impacts v3: `; empty if there is one.
        metrics: what was measured.
        share_moved: the share of columns that have moved from what the model was trained on; None if unknown.
        drift_unknown: why that is unknown, if somebody said so.
    """

    tag: str
    version: int | None
    missing: str = ""
    metrics: tuple[MetricValue, ...] = ()
    share_moved: float | None = None
    drift_unknown: str = ""


class BesideChampion(Document):
    """A metric of a model beside that of the champion, on the newest version of a tag that both have.

    `missing` says whose result is missing, in a sentence; the difference is then unknown.
    """

    tag: str
    version: int | None
    metric: str
    greater_is_better: bool = True
    difference: Difference = Difference()
    missing: str = ""


class Facts(Document):
    """What is known of a model to judge it by.

    Attributes:
        model: its name.
        primary_metric: what a rule that names no metric is about.
        versions: the newest one of each of its tags.
        alerts: what the open alerts about it say.
        champion: the name of the use case's champion; empty if it has none.
        is_champion: whether that is the model itself.
        beside: it beside the champion, for each metric that a rule asks for and each tag that both have.
    """

    model: str
    primary_metric: str
    versions: tuple[OnVersion, ...]
    alerts: tuple[str, ...] = ()
    champion: str = ""
    is_champion: bool = False
    beside: tuple[BesideChampion, ...] = ()

    @model_validator(mode="after")
    def _champion_has_a_name(self) -> Self:
        if self.is_champion and self.champion != self.model:
            raise ValueError("champion: it is the model itself, and has its name")
        return self


class Outcome(Document):
    """What the gate of a use case says of a model at one time.

    `champion` is the key of the champion that the model was compared with, None if there was none.
    """

    use_case: Text
    checks: tuple[GateCheck, ...]
    champion: int | None = Field(default=None)

    @property
    def passed(self) -> bool:
        """Whether the model may become champion."""
        return all(check.passed for check in self.checks)

    @property
    def failing(self) -> list[str]:
        """The sentences of the checks that it does not pass."""
        return [check.sentence for check in self.checks if not check.passed]

    @property
    def sentence(self) -> str:
        """All of it in a line."""
        if not self.checks:
            return f"No rule is set for {self.use_case}, so every model passes."
        number = len(self.checks)
        each = "the one check" if number == 1 else f"all {number} checks"
        if self.passed:
            return f"It passes {each}."
        return f"It does not pass {each if number == 1 else f'{len(self.failing)} of {number} checks'}."
