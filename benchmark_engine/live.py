"""What a model does on live data, whose labels come late or never. No Django, no database.

Predictions are counted, drift is measured, and metrics are estimated as far as that can be justified
(`monitoring.estimation`). Rows that have a label are measured, and those of earlier runs that have got one since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from atlas import predictions as stored
from atlas.assessment import assess
from atlas.drift import TableDrift
from atlas.errors import AtlasError
from atlas.inference import Counted, Labels, Live
from atlas.manifest import Manifest
from atlas.metrics import Predictions
from atlas.predictions import PredictionsError
from atlas.results import MetricValue
from atlas.vocabulary import Task
from benchmark_engine.chosen import confidence_of
from benchmark_engine.evaluation import truth_of
from monitoring.estimation import Answers, Labelled, can_be_estimated, estimated, unjustified
from storage.objects import ObjectStore

FEWEST_MEASURED = 30
"""Fewer labelled rows are counted, and not measured."""
CONFIDENCE_BINS = 10
VALUE_BINS = 20
MOST_STORED_BYTES = 64 << 20
"""No larger file of stored predictions is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTask:
    """What predictions on live data are looked at with.

    Attributes:
        labelled: keys of predictions of the same model whose truth is known, the newest first; two are enough.
        earlier: keys of the predictions of earlier live runs on the same tag whose rows were not all labelled.
    """

    labelled: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class LiveRows:
    """Live rows with what was predicted for them.

    Attributes:
        manifest: of the model.
        ids: of the rows.
        truth: (n,) the target where it is known, null elsewhere; None where the data have no such column.
        predictions: for all rows.
        drift: from what the model was trained on, if that is known.
    """

    manifest: Manifest
    ids: Sequence[str]
    truth: pa.ChunkedArray | None
    predictions: Predictions
    drift: TableDrift | None

    def looked_at(self, task: LiveTask, store: ObjectStore) -> Live:
        """All that can be said of them."""
        measured = self._measured()
        guesses, why_not = ((), "") if measured.metrics else self._estimated(task, store)
        confidence = confidence_of(self.predictions)
        known = confidence[np.isfinite(confidence)]
        return Live(
            predictions=counted(self.predictions, self.manifest),
            confidence=_confidence_counted(known) if len(known) else None,
            mean_confidence=float(known.mean()) if len(known) else None,
            drift=self.drift,
            labelled=measured.labelled,
            estimated=guesses,
            not_estimated=why_not,
            metrics=measured.metrics,
        )

    def _measured(self) -> Labels:
        if self.truth is None:
            return Labels(labelled=0)
        rows = np.flatnonzero(self.truth.is_valid().to_numpy())
        if not len(rows):
            return Labels(labelled=0)
        truth = truth_of(self.truth.take(pa.array(rows)), self.manifest)
        return _measured(self.manifest, truth, _at(self.predictions, rows))

    def labels_for(self, task: LiveTask, store: ObjectStore) -> dict[str, Labels]:
        """Of earlier runs, by their key, what is measured now that labels of their rows are here."""
        if self.truth is None or self.truth.null_count == len(self.truth):
            return {}
        found = {key: self._with_labels(key, store) for key in task.earlier}
        return {key: measured for key, measured in found.items() if measured.labelled}

    def _with_labels(self, key: str, store: ObjectStore) -> Labels:
        """What is measured of stored predictions with these rows' labels; nothing where they cannot be read."""
        manifest = self.manifest
        try:
            content, classes = _content(store, key), tuple(map(str, manifest.classes))
            found = stored.labelled_later(content, manifest.task, classes, self.ids, self.truth)
        except AtlasError:
            return Labels(labelled=0)
        return _measured(manifest, found.answers.truth, found.answers.predictions)

    def _estimated(self, task: LiveTask, store: ObjectStore) -> tuple[tuple[MetricValue, ...], str]:
        """The metrics that labels would probably show, or why nobody can tell."""
        manifest = self.manifest
        names = [name for name in manifest.metrics if can_be_estimated(name, manifest.task)]
        if not names:
            return (), "None of the model's metrics can be told from its own probabilities."
        if self.predictions.probabilities is None:
            return (), "The model gives no probabilities, which an estimate is made of."
        known = [each for key in task.labelled if (each := _labelled(store, key, manifest))]
        if not known:
            return (), "The model has no benchmark yet, from which it is learned what its probabilities are worth."
        share = self.drift.share_moved if self.drift else None
        why_not = unjustified(known[0], earlier=known[1] if len(known) > 1 else None, share_moved=share)
        if why_not:
            return (), why_not
        return estimated(known[0], _answers(self.predictions, manifest), names), ""


# Distributions ------------------------------------------------------------------------------------------------------


def counted(predictions: Predictions, manifest: Manifest) -> Counted:
    """How often each class was predicted; each label of a multilabel model; ranges of a regression's numbers."""
    if manifest.task is Task.REGRESSION:
        counts, edges = np.histogram(predictions.labels, VALUE_BINS)
        bins = tuple(f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges))
        return Counted(bins=bins, counts=tuple(counts.tolist()), edges=tuple(edges.tolist()))
    classes = manifest.classes
    if manifest.task is Task.MULTILABEL:
        numbers = predictions.labels.sum(axis=0).astype(int).tolist()
    else:
        numbers = [int((predictions.labels == label).sum()) for label in classes]
    return Counted(bins=tuple(map(str, classes)), counts=tuple(numbers))


def _confidence_counted(confidence: np.ndarray) -> Counted:
    counts, edges = np.histogram(confidence, CONFIDENCE_BINS, (0.0, 1.0))
    bins = tuple(f"{low:.0%} to {high:.0%}" for low, high in pairwise(edges))
    return Counted(bins=bins, counts=tuple(counts.tolist()))


# Metrics ------------------------------------------------------------------------------------------------------------


def _measured(manifest: Manifest, truth: np.ndarray, predictions: Predictions) -> Labels:
    """What is measured of rows that are labelled: the registry's metrics, since the author's own need a sandbox."""
    own = {custom.name for custom in manifest.custom_metrics}
    names = [name for name in manifest.metrics if name not in own]
    if len(truth) < FEWEST_MEASURED:
        return Labels(labelled=len(truth))
    primary = manifest.primary_metric
    found = assess(names, truth, predictions, {}, predict_seconds=0.0, primary=primary)
    return Labels(labelled=len(truth), metrics=found.metrics)


def _at(predictions: Predictions, rows: np.ndarray) -> Predictions:
    probabilities, scores = predictions.probabilities, predictions.scores
    return Predictions(
        labels=predictions.labels[rows],
        scores=None if scores is None else scores[rows],
        probabilities=None if probabilities is None else probabilities[rows],
        classes=predictions.classes,
    )


def _answers(predictions: Predictions, manifest: Manifest) -> Answers:
    return Answers(
        probabilities=np.asarray(predictions.probabilities),
        predicted=_places(predictions.labels, manifest),
    )


def _places(labels: np.ndarray, manifest: Manifest) -> np.ndarray:
    """(n,) the places of classes, which may be given as text; -1 of others."""
    places = {str(label): place for place, label in enumerate(manifest.classes)}
    return np.array([places.get(str(label), -1) for label in labels.tolist()], dtype=np.int64)


def _labelled(store: ObjectStore, key: str, manifest: Manifest) -> Labelled | None:
    """Stored predictions whose truth is known; None where they cannot be used."""
    try:
        found = stored.read(_content(store, key), manifest.task, tuple(map(str, manifest.classes)))
    except AtlasError:
        return None
    answers = found.answers
    if answers.predictions.probabilities is None:
        return None
    truth, predicted = _places(answers.truth, manifest), _places(answers.predictions.labels, manifest)
    rows = np.flatnonzero((truth >= 0) & (predicted >= 0))
    given = Answers(probabilities=answers.predictions.probabilities, predicted=predicted)
    return Labelled(answers=given.at(rows), truth=truth[rows])


def _content(store: ObjectStore, key: str) -> bytes:
    """The content of an object that is not too large.

    Raises:
        AtlasError: it cannot be read, or is too large.
    """
    found = store.read(key, 0, MOST_STORED_BYTES + 1)
    if len(found) > MOST_STORED_BYTES:
        raise PredictionsError(f"{key} is larger than {MOST_STORED_BYTES >> 20} MiB.")
    return found
