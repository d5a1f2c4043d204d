"""What the engine knows of models and of the pipeline, and what a rule makes of it: `monitoring.alerts` judges."""

from collections.abc import Sequence
from dataclasses import dataclass

from atlas.changes import MetricChange
from atlas.results import MetricValue
from atlas.watching import AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What somebody wants to be told of. Without a model, use case, tag or component it is about all of them.

    Attributes:
        pk: its key.
        kind: what it looks at; `AlertKind` says what the threshold means.
        metric: empty for the primary one of each model.
        model, tag: keys.
    """

    pk: int
    kind: AlertKind
    metric: str = ""
    threshold: float | None = None
    model: int | None = None
    use_case: str = ""
    tag: int | None = None
    component: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How large a share of the columns has moved: from what the model was trained on, or from the version before."""

    share: float
    from_training: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The newest benchmark of a model on a tag that has ended, whether it has a result or failed.

    Attributes:
        benchmark: its key.
        model, model_name, use_case: whose it is.
        tag, dataset, version: key and name of the tag, and the number of the version.
        primary_metric: the name of the metric that counts where a rule names none.
        failure: why it failed; None if it has a result.
        metrics: the primary one and those that a rule names; those without a value as well.
        changes: how metrics differ from earlier versions, as far as they are worse or nobody can tell; None until the
            result was compared.
        moved: None where nothing says it, or nothing does yet.
    """

    benchmark: int
    model: int
    model_name: str
    use_case: str
    tag: int
    dataset: str
    version: int
    primary_metric: str
    failure: str | None = None
    metrics: Sequence[MetricValue] = ()
    changes: Sequence[MetricChange] | None = None
    moved: Moved | None = None

    @property
    def data(self) -> str:
        """The dataset version's name."""
        return f"{self.dataset} v{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component of the pipeline. `is_down` is None if nobody can say; `why` is empty unless it is down."""

    name: str
    is_down: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that rules look at."""

    standings: Sequence[Standing] = ()
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that a rule wants to be told of.

    Attributes:
        kind: the rule's.
        key: stays the same while the cause lasts, whatever versions and values come: a sha256 in hexadecimal.
        text: what happened, in one line.
        why: how that is known.
        model, benchmark: keys; `model` is None of what is about data or a component alone.
        metric, component: what it is about, if it is about one.
    """

    kind: AlertKind
    key: str
    text: str
    why: str
    model: int | None = None
    benchmark: int | None = None
    metric: str = ""
    component: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule makes of the facts: each cause that holds, and the keys of those of which the facts tell nothing.

    Any other cause does not hold.
    """

    causes: Sequence[Cause] = ()
    unknown: frozenset[str] = frozenset()
