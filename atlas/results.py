"""What a benchmark gives: metrics, confusion matrix or residuals, costs, hyperparameters, explanation, provenance.

Every document is immutable and crosses processes as JSON. `BenchmarkResult.schema_version` names its form.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from atlas.drift import TableDrift
from atlas.states import FailureClass, Phase
from atlas.vocabulary import Document, Label, Text

MOST_ROWS = 10**12
MOST_NAME = 200
"""So many characters of the name of a feature are kept."""


class Failure(Document):
    """Why there is no result: its class, one sentence for a person, and what the model printed."""

    failure_class: FailureClass
    reason: str
    output: str = ""


class Progress(Document):
    """How far a running benchmark is: its phase, and while it predicts, how many of all rows are done.

    A sandboxed child says it of itself, so it may be no more than fits into a table.
    """

    phase: Phase
    done: int = Field(default=0, ge=0, le=MOST_ROWS)
    total: int = Field(default=0, ge=0, le=MOST_ROWS)


class MetricValue(Document):
    """One metric. `value` is None, and `reason` says why, where it cannot be computed for these rows.

    `low` and `high` are the ends of its 95 % interval; None where nothing says how sure the value is.
    """

    name: Text
    value: float | None
    greater_is_better: bool
    reason: str = ""
    low: float | None = None
    high: float | None = None


class Estimate(Document):
    """A value and the ends of its 95 % interval; all None where there is nothing to divide by."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class ClassMetrics(Document):
    """How well one class is recognised; `rows` events truly have it."""

    label: Label
    rows: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


class SliceMetrics(Document):
    """How well a model does on the events that have one value in one column, such as one car."""

    column: Text
    value: Text
    rows: int
    metrics: tuple[MetricValue, ...]


class ConfusionMatrix(Document):
    """`counts[i][j]` events of class `classes[i]` were predicted as `classes[j]`."""

    classes: tuple[Label, ...]
    counts: tuple[tuple[int, ...], ...]


class Residuals(Document):
    """True and predicted values of a regression, for at most a few hundred events sampled evenly over the truth."""

    truth: tuple[float, ...]
    predicted: tuple[float, ...]


class Costs(Document):
    """What the benchmark needed; times without the start of the process that ran it.

    `latency_p50_seconds` and `latency_p95_seconds` are of predicting one row at a time, over `latency_rows` of them;
    None where none was.
    """

    wall_seconds: float
    cpu_seconds: float
    load_seconds: float
    predict_seconds: float
    peak_memory_bytes: int
    model_size_bytes: int
    predictions: int
    latency_p50_seconds: float | None = None
    latency_p95_seconds: float | None = None
    latency_rows: int = 0

    @property
    def rows_per_second(self) -> float | None:
        """Events predicted per second of prediction."""
        return self.predictions / self.predict_seconds if self.predict_seconds else None


class HyperparameterGroup(Document):
    """The hyperparameters of one step of a model, as text, by name; `chosen` are those that are not the defaults.

    `chosen` is None where nobody knows the defaults.
    """

    step: str
    estimator: str
    values: dict[str, str]
    chosen: tuple[str, ...] | None = None


class Importance(Document):
    """How strongly one feature moves the model's output: the mean of |SHAP value| over rows, per output.

    `standard_error` is how far each mean may lie from that over all rows, one standard deviation; empty if unknown.
    """

    feature: str
    mean_absolute: tuple[float, ...]
    standard_error: tuple[float, ...] = ()

    @property
    def total(self) -> float:
        """The importance over all outputs."""
        return sum(self.mean_absolute)


class TreeNode(Document):
    """A node of a tree that stands for a model: rows at or below the threshold go left. A leaf has no feature.

    `left` and `right` are places in the tree's list of nodes; `answer` is the mean of the model's outputs there.
    """

    feature: str = Field(default="", max_length=MOST_NAME)
    threshold: FiniteFloat = 0.0
    left: int = 0
    right: int = 0
    share: float = Field(ge=0, le=1)
    answer: tuple[FiniteFloat, ...]

    @property
    def children(self) -> tuple[int, ...]:
        """The places of its children; none of a leaf."""
        return (self.left, self.right) if self.feature else ()


class SurrogateTree(Document):
    """A shallow tree that does roughly what the model does; the first node is its root.

    `fidelity` is the share (R²) of the variance of the model's outputs that it tells on rows that it did not see.
    """

    nodes: tuple[TreeNode, ...] = Field(min_length=1, max_length=255)
    fidelity: FiniteFloat
    rows: int = Field(ge=0, le=MOST_ROWS)

    @model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        """Each node but the root is the child of one node before it, so that a walk meets each once, and ends."""
        pairs = [(place, child) for place, node in enumerate(self.nodes) if node.feature for child in node.children]
        if sorted(child for _, child in pairs) != list(range(1, len(self.nodes))):
            raise ValueError("each node but the first has to be the child of one other")
        if any(child <= place for place, child in pairs):
            raise ValueError("children have to stand behind their parents")
        if len({len(node.answer) for node in self.nodes}) > 1:
            raise ValueError("all nodes need as many answers")
        return self


class Explanation(Document):
    """Why a model predicts as it does, or why that cannot be said.

    Either `impossible` holds one sentence, or the other fields hold SHAP importances, the most important first.

    Attributes:
        method: how the values were computed, in a few words for people.
        output: what they add up to; a vote is 1 for the predicted class and 0 for all others.
        outputs: names of their columns: the classes, or one for a single output.
        base_values: what the model gives before any feature is known.
        rows: over how many rows, a fair sample, the importances are means.
        of_rows: how many rows there are.
        picked_rows: how many more rows were explained, for being predicted worst.
        background: what "feature unknown" means: a sample of the training data that the bundle carries, of the data
            themselves, or the model's own counts of training rows.
        background_rows: how many rows that was.
        value_error: standard error of a value, root mean square over all; 0 where values are exact.
        gap: by how much base and values miss the model's answer at most, relative to the size of the answers.
        seconds: how long it took.
        importances: of the features that the model gets.
        column_importances: of the dataset's columns, where the model gets others than these; of several features
            made of one column their values are added up before.
        tree: a shallow tree that does roughly what the model does.
        values_key: where the object store has the values of each event; empty if nowhere.
        events_key: where it has the rows of the dataset that they belong to; empty if nowhere.
    """

    impossible: str = ""
    method: str = ""
    output: Literal["", "probability", "margin", "value", "vote"] = ""
    outputs: tuple[str, ...] = ()
    base_values: tuple[float, ...] = ()
    rows: int = 0
    of_rows: int = 0
    picked_rows: int = 0
    background: Literal["", "reference", "data", "model"] = ""
    background_rows: int = 0
    value_error: float = 0.0
    gap: float = 0.0
    seconds: float = 0.0
    importances: tuple[Importance, ...] = ()
    column_importances: tuple[Importance, ...] = ()
    tree: SurrogateTree | None = None
    values_key: str = ""
    events_key: str = ""

    @property
    def available(self) -> bool:
        """Whether there is an explanation."""
        return not self.impossible

    @property
    def keys(self) -> frozenset[str]:
        """The objects that it refers to."""
        return frozenset({self.values_key, self.events_key} - {""})


class Provenance(Document):
    """The machine and the versions that made a result, and the layers of the sandbox that held meanwhile."""

    machine: str
    python: str
    atlas: str
    libraries: dict[str, str]
    sandbox: tuple[str, ...] = ()


class BenchmarkResult(Document):
    """All that one benchmark of one model on one dataset version gives.

    `warnings` are lines for people on what may make the result another than the author's, such as library versions.
    `predictions_key` is where the object store has the prediction of each event, as Parquet; empty if nowhere.
    `drift` is how far the events lie from what the model was trained on; `drift_unknown` says why that is not known, of
    all or of the predictions.
    """

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = Field(default=1, le=SCHEMA_VERSION)
    metrics: tuple[MetricValue, ...]
    class_metrics: tuple[ClassMetrics, ...] = ()
    slice_metrics: tuple[SliceMetrics, ...] = ()
    confusion_matrix: ConfusionMatrix | None = None
    residuals: Residuals | None = None
    costs: Costs
    hyperparameters: tuple[HyperparameterGroup, ...] = ()
    explanation: Explanation
    drift: TableDrift | None = None
    drift_unknown: str = ""
    provenance: Provenance
    warnings: tuple[str, ...] = ()
    predictions_key: str = ""
    output: str = ""
