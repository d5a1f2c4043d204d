"""The metric registry: every classification and regression metric that scikit-learn offers as a scorer, as a table.

A metric has its scorer's name without `neg_`: where less is better, `greater_is_better` says so. The table names public
functions of scikit-learn, which is imported only when a metric is computed.
"""

import difflib
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from atlas.errors import MetricError
from atlas.results import ConfusionMatrix, MetricValue, Residuals
from atlas.vocabulary import Label, Task

MAX_CLASSES = 1_000
"""A confusion matrix of more classes than this is none that a person could read."""


class Needs(StrEnum):
    """What of the model's answer a metric uses."""

    LABELS = "labels"
    SCORES = "scores"
    PROBABILITIES = "probabilities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """One model's answer for n events.

    Attributes:
        labels: (n,) predicted classes or values; (n, k) zeros and ones for multilabel.
        scores: (n,) or (n, k) values of `decision_function`, or any other confidence that grows with the truth; of two
            classes, for the last one.
        probabilities: (n, k), columns in the order of `classes`.
        classes: empty for a regression; the last of two is the positive one.
    """

    labels: np.ndarray
    scores: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    classes: tuple[Label, ...] = ()

    @property
    def is_multilabel(self) -> bool:
        """Whether an event may have several of the classes at once."""
        return bool(self.classes) and self.labels.ndim == 2 and self.labels.shape[1] > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A measure of how good predictions are.

    Attributes:
        name: its name in manifests and results.
        title: its name for people.
        description: one line on what it says.
        greater_is_better: its direction.
        tasks: what kinds of models it can measure.
        needs: what of the model's answer it uses.
        function: the name of the function in `sklearn.metrics`.
        arguments: the function's keyword arguments.
        takes_labels: whether the function is told all classes, so that one that is absent from the truth is no error.
        element: which one of the values that the function returns, where it returns several.
    """

    name: str
    title: str
    description: str
    greater_is_better: bool
    tasks: frozenset[Task]
    needs: Needs
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    takes_labels: bool = False
    element: int | None = None

    def compute(self, truth: np.ndarray, predictions: Predictions) -> float:
        """The metric of predictions for events whose true labels or values are `truth`, (n,) or (n, k).

        It may be NaN where scikit-learn finds it undefined.

        Raises:
            MetricError: the predictions lack what the metric needs, or their labels have nothing to do with the truth.
            ValueError: scikit-learn refuses these rows.
        """
        return self.of(*self.arguments_for(truth, predictions), len(predictions.classes))

    def of(self, truth: np.ndarray, answer: np.ndarray, classes: int, weights: np.ndarray | None = None) -> float:
        """The metric of what `arguments_for` gave, or of the same rows of both, where the model has so many classes.

        Args:
            truth: as `arguments_for` gives it.
            answer: likewise.
            classes: how many the model has.
            weights: how many events each row stands for; one each by default.

        Raises:
            ValueError: scikit-learn refuses these rows.
        """
        arguments = dict(self.arguments)
        if self.takes_labels:
            arguments["labels"] = list(range(classes))
        if weights is not None:
            arguments["sample_weight"] = weights
        result = getattr(import_module("sklearn.metrics"), self.function)(truth, answer, **arguments)
        return float(result if self.element is None else result[self.element])

    def arguments_for(self, truth: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
        """Truth and answer as scikit-learn's function receives them: classes as their positions, and of the
        confidences of two classes only those of the positive one.

        Raises:
            MetricError: as in `compute`.
        """
        answer = self._answer(predictions)
        if predictions.classes and not predictions.is_multilabel:
            return self._encoded(truth, answer, predictions.classes)
        return truth, answer

    def _answer(self, predictions: Predictions) -> np.ndarray:
        """What the metric needs of the predictions; for ranking, probabilities do where there are no scores."""
        available = {
            Needs.LABELS: predictions.labels,
            Needs.SCORES: predictions.probabilities if predictions.scores is None else predictions.scores,
            Needs.PROBABILITIES: predictions.probabilities,
        }
        answer = available[self.needs]
        if answer is None:
            method = "predict_proba" if self.needs is Needs.PROBABILITIES else "decision_function or predict_proba"
            raise MetricError(f"It needs {self.needs}, and the model has no {method}.")
        return answer

    def _encoded(
        self, truth: np.ndarray, answer: np.ndarray, classes: tuple[Label, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Classes as their positions, so that the last of two is the positive one whatever it is called."""
        position: dict[Label, int] = {label: number for number, label in enumerate(classes)}
        true = _some_known(_encode(truth, position, "true"), truth, classes)
        if self.needs is Needs.LABELS:
            return true, _some_known(_encode(answer, position, "predicted"), answer, classes)
        positive = len(classes) == 2 and answer.ndim == 2 and answer.shape[1] == 2
        return true, answer[:, 1] if positive else answer


def _encode(labels: np.ndarray, position: dict[Label, int], what: str) -> np.ndarray:
    """Labels as their positions; one that has none yet gets the next."""
    from pandas import factorize  # here, not above: reading a manifest needs no pandas

    codes, values = factorize(labels.ravel())
    missing = int((codes < 0).sum())
    if missing:
        raise MetricError(f"{missing} of {len(codes)} {what} labels are missing.")
    places = np.array([position.setdefault(value, len(position)) for value in values.tolist()], dtype=np.intp)
    return places[codes]


def _some_known(encoded: np.ndarray, labels: np.ndarray, classes: tuple[Label, ...]) -> np.ndarray:
    """The positions, if at least one label is a class: else both speak of different things, such as 1 and "1"."""
    if len(encoded) and encoded.min() >= len(classes):
        label = labels.ravel()[:1].tolist()[0]
        raise MetricError(f"The label {label!r}, like all others here, is none of the model's {list(classes)}.")
    return encoded


class Events:
    """Truth and answers for some events, in each form that metrics need; each is prepared once."""

    def __init__(self, truth: np.ndarray, predictions: Predictions) -> None:
        self._truth = truth
        self._predictions = predictions
        self._arguments: dict[Needs, tuple[np.ndarray, np.ndarray]] = {}
        self._confusion: tuple[np.ndarray, np.ndarray, int, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self._truth)

    @property
    def classes(self) -> int:
        """How many classes the model has; 0 for a regression."""
        return len(self._predictions.classes)

    def arguments(self, entry: Metric) -> tuple[np.ndarray, np.ndarray]:
        """As `Metric.arguments_for`."""
        if entry.needs not in self._arguments:
            self._arguments[entry.needs] = entry.arguments_for(self._truth, self._predictions)
        return self._arguments[entry.needs]

    def value(self, entry: Metric) -> float:
        """As `Metric.compute`."""
        truth, answer = self.arguments(entry)
        if entry.needs is Needs.LABELS and self.classes and truth.ndim == 1:
            return entry.of(*self._cells(truth, answer))
        return entry.of(truth, answer, self.classes)

    def _cells(self, truth: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
        """The cells of the confusion matrix that are not empty, as events with weights: they say all that metrics of
        predicted classes ask for, and are few however many the events are."""
        if self._confusion is None:
            width = int(answer.max(initial=0)) + 1
            cells, counts = np.unique(truth * width + answer, return_counts=True)
            self._confusion = cells // width, cells % width, self.classes, counts.astype(float)
        return self._confusion

    def part(self, chosen: np.ndarray) -> "Events":
        """Some of the events, by their numbers."""
        return _Part(self, chosen)


class _Part(Events):
    """Some of the events. A label that is no class of the model is the same number in every part."""

    def __init__(self, whole: Events, chosen: np.ndarray) -> None:
        super().__init__(whole._truth, whole._predictions)
        self._whole = whole
        self._chosen = chosen

    def __len__(self) -> int:
        return len(self._chosen)

    def arguments(self, entry: Metric) -> tuple[np.ndarray, np.ndarray]:
        if entry.needs not in self._arguments:
            truth, answer = self._whole.arguments(entry)
            self._arguments[entry.needs] = truth[self._chosen], answer[self._chosen]
        return self._arguments[entry.needs]


BINARY = frozenset({Task.BINARY})
MULTILABEL = frozenset({Task.MULTILABEL})
ONE_LABEL = frozenset({Task.BINARY, Task.MULTICLASS})
ANY_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS, Task.MULTILABEL})

AVERAGES = {
    "": ("", "of the positive class", BINARY, "binary"),
    "_macro": ("Macro ", "averaged over classes, each counting the same", ANY_CLASSES, "macro"),
    "_micro": ("Micro ", "over all decisions counted together", ANY_CLASSES, "micro"),
    "_weighted": ("Weighted ", "averaged over classes by their number of events", ANY_CLASSES, "weighted"),
    "_samples": ("Per-event ", "of each event's set of labels, averaged over events", MULTILABEL, "samples"),
}
"""Suffix of a name: start of the title, end of the description, tasks, scikit-learn's `average`."""


def _averaged(name: str, title: str, description: str) -> Iterable[Metric]:
    """One metric per way to average over classes."""
    for suffix, (prefix, over, tasks, average) in AVERAGES.items():
        full_title = prefix + title
        yield Metric(
            name=f"{name}{suffix}",
            title=full_title[0].upper() + full_title[1:],
            description=f"{description}, {over}",
            greater_is_better=True,
            tasks=tasks,
            needs=Needs.LABELS,
            function=f"{name}_score",
            arguments={"average": average},
        )


def _of_labels(
    name: str,
    title: str,
    description: str,
    tasks: frozenset[Task],
    function: str,
    *,
    element: int | None = None,
    less: bool = False,
    **arguments: Any,
) -> Metric:
    """A classification metric of the predicted classes."""
    return Metric(
        name=name,
        title=title,
        description=description,
        greater_is_better=not less,
        tasks=tasks,
        needs=Needs.LABELS,
        function=function,
        arguments=arguments,
        takes_labels=element is not None,
        element=element,
    )


def _of_confidence(
    name: str,
    title: str,
    description: str,
    tasks: frozenset[Task],
    function: str,
    needs: Needs,
    *,
    less: bool = False,
    takes_labels: bool = True,
    **arguments: Any,
) -> Metric:
    """A classification metric of scores or probabilities."""
    return Metric(
        name=name,
        title=title,
        description=description,
        greater_is_better=not less,
        tasks=tasks,
        needs=needs,
        function=function,
        arguments=arguments,
        takes_labels=takes_labels,
    )


def _of_values(name: str, title: str, description: str, *, function: str = "", less: bool = True) -> Metric:
    """A regression metric."""
    return Metric(
        name=name,
        title=title,
        description=description,
        greater_is_better=not less,
        tasks=frozenset({Task.REGRESSION}),
        needs=Needs.LABELS,
        function=function or name,
    )


def _likelihood_ratio(name: str, title: str, description: str, element: int) -> Metric:
    return _of_labels(
        name,
        title,
        description,
        BINARY,
        "class_likelihood_ratios",
        element=element,
        less=element == 1,
        replace_undefined_by=1.0,
    )


def _roc_auc(scheme: str, title: str, description: str, average: str = "macro") -> Metric:
    """The area under the ROC curve for more than two classes, by the `scheme` `ovr` or `ovo`."""
    suffix = "" if average == "macro" else f"_{average}"
    return _of_confidence(
        f"roc_auc_{scheme}{suffix}",
        title,
        description,
        ONE_LABEL,
        "roc_auc_score",
        Needs.PROBABILITIES,
        multi_class=scheme,
        average=average,
    )


TABLE: tuple[Metric, ...] = (
    _of_labels("accuracy", "Accuracy", "Share of events that are predicted right", ANY_CLASSES, "accuracy_score"),
    _of_labels(
        "balanced_accuracy",
        "Balanced accuracy",
        "Recall, averaged over classes: rare classes count as much as common ones",
        ONE_LABEL,
        "balanced_accuracy_score",
    ),
    *_averaged("f1", "F1", "Harmonic mean of precision and recall"),
    *_averaged("precision", "precision", "Share of the predictions of a class that are right"),
    *_averaged("recall", "recall", "Share of the events of a class that are found"),
    *_averaged("jaccard", "Jaccard index", "Events predicted right, by events predicted or true"),
    _of_labels(
        "matthews_corrcoef",
        "Matthews correlation",
        "Correlation of true and predicted classes, from -1 to 1; 0 is chance",
        ONE_LABEL,
        "matthews_corrcoef",
    ),
    _likelihood_ratio(
        "positive_likelihood_ratio",
        "Positive likelihood ratio",
        "How many times as likely a positive prediction is for a positive event as for a negative one",
        0,
    ),
    _likelihood_ratio(
        "negative_likelihood_ratio",
        "Negative likelihood ratio",
        "How many times as likely a negative prediction is for a positive event as for a negative one",
        1,
    ),
    _of_confidence(
        "roc_auc",
        "ROC AUC",
        "Chance that a positive event scores higher than a negative one",
        BINARY | MULTILABEL,
        "roc_auc_score",
        Needs.SCORES,
        takes_labels=False,
    ),
    _roc_auc("ovr", "ROC AUC, one vs rest", "ROC AUC of each class against all others, averaged over classes"),
    _roc_auc(
        "ovr",
        "Weighted ROC AUC, one vs rest",
        "ROC AUC of each class against all others, averaged by number of events",
        "weighted",
    ),
    _roc_auc("ovo", "ROC AUC, one vs one", "ROC AUC of each pair of classes, averaged over pairs"),
    _roc_auc(
        "ovo",
        "Weighted ROC AUC, one vs one",
        "ROC AUC of each pair of classes, averaged by number of events",
        "weighted",
    ),
    _of_confidence(
        "average_precision",
        "Average precision",
        "Area under the precision-recall curve, averaged over classes",
        ANY_CLASSES,
        "average_precision_score",
        Needs.SCORES,
        takes_labels=False,
    ),
    _of_confidence(
        "top_k_accuracy",
        "Top-2 accuracy",
        "Share of events whose true class is one of the two that score highest",
        frozenset({Task.MULTICLASS}),
        "top_k_accuracy_score",
        Needs.SCORES,
    ),
    _of_confidence(
        "log_loss",
        "Log loss",
        "Mean of -ln(probability of the true class), in nats",
        ONE_LABEL,
        "log_loss",
        Needs.PROBABILITIES,
        less=True,
    ),
    _of_confidence(
        "brier_score",
        "Brier score",
        "Mean squared distance of the probabilities from the truth",
        ONE_LABEL,
        "brier_score_loss",
        Needs.PROBABILITIES,
        less=True,
    ),
    _of_confidence(
        "d2_log_loss_score",
        "D² log loss",
        "Share of the log loss of always predicting the class shares that the model removes",
        ONE_LABEL,
        "d2_log_loss_score",
        Needs.PROBABILITIES,
    ),
    _of_confidence(
        "d2_brier_score",
        "D² Brier score",
        "Share of the Brier score of always predicting the class shares that the model removes",
        ONE_LABEL,
        "d2_brier_score",
        Needs.PROBABILITIES,
    ),
    _of_values("r2", "R²", "Share of the variance that the model explains", function="r2_score", less=False),
    _of_values(
        "explained_variance",
        "Explained variance",
        "Like R², without the penalty for a constant offset",
        function="explained_variance_score",
        less=False,
    ),
    _of_values(
        "d2_absolute_error_score",
        "D² absolute error",
        "Share of the absolute error of always predicting the median that the model removes",
        less=False,
    ),
    _of_values("mean_absolute_error", "Mean absolute error", "Mean absolute error, in the target's unit"),
    _of_values("median_absolute_error", "Median absolute error", "Median absolute error, in the target's unit"),
    _of_values("max_error", "Largest error", "Largest absolute error, in the target's unit"),
    _of_values(
        "mean_absolute_percentage_error",
        "Mean absolute percentage error",
        "Mean of the absolute error by the absolute true value, as a fraction",
    ),
    _of_values("mean_squared_error", "Mean squared error", "Mean of error², in the target's unit squared"),
    _of_values(
        "root_mean_squared_error", "Root mean squared error", "Root of the mean of error², in the target's unit"
    ),
    _of_values("mean_squared_log_error", "Mean squared log error", "Mean squared difference of ln(1 + value)"),
    _of_values(
        "root_mean_squared_log_error",
        "Root mean squared log error",
        "Root of the mean squared difference of ln(1 + value)",
    ),
    _of_values("mean_poisson_deviance", "Mean Poisson deviance", "Deviance for counts; predictions must be positive"),
    _of_values("mean_gamma_deviance", "Mean gamma deviance", "Deviance for positive values, relative to their size"),
)

REGISTRY: Mapping[str, Metric] = MappingProxyType({entry.name: entry for entry in TABLE})
"""All metrics by name."""

DEFAULT_METRICS: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        Task.BINARY: (
            "f1",
            "accuracy",
            "balanced_accuracy",
            "precision",
            "recall",
            "matthews_corrcoef",
            "roc_auc",
            "average_precision",
            "log_loss",
        ),
        Task.MULTICLASS: (
            "f1_macro",
            "accuracy",
            "balanced_accuracy",
            "precision_macro",
            "recall_macro",
            "matthews_corrcoef",
            "roc_auc_ovr",
            "log_loss",
        ),
        Task.MULTILABEL: ("f1_macro", "f1_micro", "accuracy", "precision_macro", "recall_macro", "jaccard_samples"),
        Task.REGRESSION: ("root_mean_squared_error", "mean_absolute_error", "r2", "median_absolute_error", "max_error"),
    }
)
"""What a model of each task is measured by if its author does not say; the first is the primary metric."""


def metric(name: str) -> Metric:
    """The registered metric of this name.

    Raises:
        MetricError: there is none; the message suggests the nearest name.
    """
    try:
        return REGISTRY[name]
    except KeyError:
        raise MetricError(f"unknown metric {name!r}{_suggestion(name)}") from None


def metric_for(task: Task, name: str) -> Metric:
    """The registered metric of this name, if it can measure models of this task.

    Raises:
        MetricError: there is none, or it is for other tasks.
    """
    found = metric(name)
    if task not in found.tasks:
        raise MetricError(f"{name!r} is not for {task} models, but for {', '.join(sorted(found.tasks))}")
    return found


def _suggestion(name: str) -> str:
    plain = name.lower().removeprefix("neg_")
    candidates = [plain, plain.removesuffix("_loss"), plain.removesuffix("_score")]
    exact = [candidate for candidate in candidates if candidate in REGISTRY]
    nearest = exact or difflib.get_close_matches(plain, REGISTRY, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else "; `atlas metrics` lists those that there are"


def metrics_for(task: Task) -> tuple[Metric, ...]:
    """The metrics that can measure models of a task."""
    return tuple(entry for entry in TABLE if task in entry.tasks)


def default_metrics(task: Task) -> tuple[str, ...]:
    """The names of the metrics of models whose author names none; the first is the primary one."""
    return DEFAULT_METRICS[task]


def default_primary_metric(task: Task) -> str:
    """The name of the metric that ranks the models of a task whose author does not say."""
    return DEFAULT_METRICS[task][0]


def measure(metrics: Iterable[Metric], truth: np.ndarray, predictions: Predictions) -> tuple[MetricValue, ...]:
    """The value of each metric, or the reason why it has none here; a metric that fails never stops the others."""
    return measure_events(metrics, Events(truth, predictions))


def measure_events(metrics: Iterable[Metric], events: Events) -> tuple[MetricValue, ...]:
    """The same of events that other measurements are made on too."""
    return tuple(value_or_reason(entry, partial(events.value, entry)) for entry in metrics)


_CATCHING = threading.Lock()
"""What happens to warnings is a matter of the whole process: threads catch them one at a time."""


def value_or_reason(entry: Metric, compute: Callable[[], float]) -> MetricValue:
    """A metric that is computed by a call, or the reason why it has no value."""
    value, reason = np.nan, ""
    with _CATCHING, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = compute()
        except Exception as error:  # noqa: BLE001 - foreign data in foreign code: whatever it raises is the reason
            reason = str(error) or type(error).__name__
    if np.isfinite(value):
        return MetricValue(name=entry.name, value=value, greater_is_better=entry.greater_is_better)
    reason = reason or _undefined(value, [str(warning.message) for warning in caught])
    return MetricValue(
        name=entry.name, value=None, greater_is_better=entry.greater_is_better, reason=_one_sentence(reason)
    )


def _undefined(value: float, warned: Sequence[str]) -> str:
    return warned[0] if warned else f"It is {value} for these events"


def _one_sentence(text: str, most: int = 300) -> str:
    line = " ".join(text.split())
    return f"{line[:most].rstrip('. ')}{'…' if len(line) > most else '.'}"


def confusion(truth: np.ndarray, predictions: Predictions) -> ConfusionMatrix:
    """How often each class (row) was predicted as each (column); labels that are no class of the model come last.

    Raises:
        MetricError: there is not one predicted class an event, a label is missing, or there are over `MAX_CLASSES`.
    """
    if not predictions.classes or predictions.is_multilabel:
        raise MetricError("A confusion matrix needs one predicted class an event.")
    position: dict[Label, int] = {label: number for number, label in enumerate(predictions.classes)}
    true = _encode(truth, position, "true")
    predicted = _encode(predictions.labels, position, "predicted")
    size = len(position)
    if size > MAX_CLASSES:
        raise MetricError(f"A confusion matrix of {size} different labels is too large; at most {MAX_CLASSES} fit.")
    counts = np.bincount(true * size + predicted, minlength=size * size).reshape(size, size)
    return ConfusionMatrix(classes=tuple(position), counts=tuple(map(tuple, counts.tolist())))


def residuals(truth: np.ndarray, predicted: np.ndarray, limit: int = 500) -> Residuals:
    """True and predicted values of at most `limit` events, spread evenly over the events in the truth's order.

    Events without a finite value on either side are left out.

    Raises:
        MetricError: there is not one true and one predicted value an event.
    """
    true, answer = (np.asarray(values, dtype=float) for values in (truth, predicted))
    if true.size != len(true) or answer.size != len(true):
        raise MetricError(f"Residuals need one value an event, not arrays of shape {true.shape} and {answer.shape}.")
    pairs = np.column_stack([true.ravel(), answer.ravel()])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    chosen = pairs[np.linspace(0, len(pairs) - 1, min(limit, len(pairs))).round().astype(int)]
    return Residuals(truth=tuple(chosen[:, 0].tolist()), predicted=tuple(chosen[:, 1].tolist()))
