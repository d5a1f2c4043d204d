"""Predictions of rows whose truth nobody need know: of a dataset version, or sent by a person. No Django, no database.

The model runs in the same sandbox and within the same limits as in a benchmark, and so does what decodes rows that a
person sent: this process opens no file of theirs, and checks what the child says of it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from atlas.bundle import library_differences
from atlas.datasets import DatasetDescription, Split
from atlas.errors import DatasetError
from atlas.inference import Inferred, Labels
from atlas.manifest import Manifest
from atlas.metrics import Predictions
from atlas.results import Explanation
from atlas.vocabulary import Task
from benchmark_engine.answers import prediction_columns
from benchmark_engine.chosen import Chosen
from benchmark_engine.comparing import Comparison
from benchmark_engine.evaluation import EVENT_ID
from benchmark_engine.explanations import EVENTS, VALUES, Explaining
from benchmark_engine.failures import named_failures
from benchmark_engine.inference_rows import Rows, SentRows, VersionRows, decoded, of_version, title
from benchmark_engine.live import LiveRows, LiveTask
from benchmark_engine.predicting import Children, Predicting
from benchmark_engine.sandbox.launcher import Outcome
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.sandbox.protocol import (
    BUNDLE,
    FEATURES,
    SENT,
)
from benchmark_engine.sandbox.workspace import Workspace
from benchmark_engine.worker import Worker

INFERENCES = "inferences/"
"""Where the object store has what belongs to predictions, in a folder for each claim."""
PREDICTED = "predictions.parquet"
MOST_SENT_BYTES = 256 << 20
EXPLAINED_ROWS = 100
"""So many rows are explained at most: the first ones."""

FetchSplit = Callable[[DatasetDescription, Split, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceTask:
    """Predictions to make.

    Attributes:
        claim: names what is kept of them.
        bundle_key: where the object store has the model.
        bundle_digest: the sha256 of that file.
        bundle_bytes: its size.
        manifest: what it says of itself.
        rows: what is predicted.
        known: the data that values are compared with, if any are known.
        limits: what the model may use.
        explained: what the explanation may take.
        live: what predictions on live data are looked at with; None of predictions on demand.
    """

    claim: str
    bundle_key: str
    bundle_digest: str
    bundle_bytes: int
    manifest: Manifest
    rows: VersionRows | SentRows
    known: DatasetDescription | None
    limits: Limits
    explained: ExplanationBudget
    live: LiveTask | None = None

    def key(self, name: str) -> str:
        """Where the object store keeps a file of these predictions."""
        return f"{INFERENCES}{self.claim}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceResult:
    """What predicting gave, and where the object store has its files; keys are empty where there is no file.

    `relabelled` is what is measured of earlier live runs, by the key of their predictions, now that more is labelled.
    """

    inferred: Inferred
    predictions_key: str = ""
    values_key: str = ""
    events_key: str = ""
    output: str = ""
    relabelled: Mapping[str, Labels] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Inferrer:
    """What it takes to predict on this machine.

    Attributes:
        worker: fetches models, keeps files, and has the sandbox.
        fetch: fetches a split of a dataset version.
    """

    worker: Worker
    fetch: FetchSplit

    def infer(self, task: InferenceTask, stop: threading.Event) -> InferenceResult:
        """Predict, until it is done or `stop` is set.

        Raises:
            BenchmarkError: there are no predictions; its failure says why.
            AtlasError: a file cannot be fetched or stored.
        """
        worker = self.worker
        with named_failures(), worker.unpacked(task) as bundle, worker.scratch() as folder:
            with self._files(task, folder) as files, worker.sandbox.workspace() as folders:
                folders.give(BUNDLE, bundle)
                found = _Inference(task, folders, worker, bundle, stop).result(files, folder)
            return self._kept(found, task, folder, stop)

    @contextmanager
    def _files(self, task: InferenceTask, folder: Path) -> Iterator[tuple[Path, ...]]:
        """The file that was sent, or those of the version's splits: training, then evaluation."""
        if isinstance(task.rows, SentRows):
            path = folder / SENT
            if self.worker.objects.stat(task.rows.key).size_bytes > MOST_SENT_BYTES:
                raise DatasetError(f"The file is larger than {MOST_SENT_BYTES >> 20} MiB.")
            self.worker.objects.get(task.rows.key, path)
            yield (path,)
            return
        dataset = task.rows.dataset
        with (
            self._split(dataset, Split.TRAINING) as training,
            self._split(dataset, Split.EVALUATION) as evaluation,
        ):
            yield training, evaluation

    @contextmanager
    def _split(self, dataset: DatasetDescription, split: Split) -> Iterator[Path]:
        name = f"data-{dataset.splits[split].sha256}.arrow"
        with self.worker.cache.entry(name, lambda path: self.fetch(dataset, split, path)) as path:
            yield path

    def _kept(
        self, found: InferenceResult, task: InferenceTask, folder: Path, stop: threading.Event
    ) -> InferenceResult:
        """The result, with where its files are kept."""
        self.worker.keep(folder / PREDICTED, task.key(PREDICTED), stop)
        kept = replace(found, predictions_key=task.key(PREDICTED))
        if not found.inferred.explanation.available:
            return kept
        for name in (VALUES, EVENTS):
            self.worker.keep(folder / name, task.key(name), stop)
        return replace(kept, values_key=task.key(VALUES), events_key=task.key(EVENTS))


class _Inference:
    """The steps of predicting, over one workspace."""

    def __init__(
        self, task: InferenceTask, folders: Workspace, worker: Worker, bundle: Path, stop: threading.Event
    ) -> None:
        self._task = task
        self._manifest = task.manifest
        self._folders = folders
        self._objects = worker.objects
        self._bundle = bundle
        self._children = Children(folders=folders, sandbox=worker.sandbox, limits=task.limits, stop=stop)

    def result(self, files: tuple[Path, ...], folder: Path) -> InferenceResult:
        """What is said of the predictions, and what the children printed; files are written into the folder."""
        task = self._task
        if isinstance(task.rows, SentRows):
            rows = decoded(task.rows, files[0], task.manifest, task.known, self._children, task.explained.rows)
        else:
            rows = of_version(task.rows, files, task.manifest, task.known, self._folders.folder)
        self._folders.give(FEATURES, rows.features)
        why_not = self._why_unexplained(len(rows.ids))
        predicting = self._predicting(rows, explains=not why_not)
        outcome, sealed = predicting.predict()
        write_predictions(rows, sealed.predictions, task.manifest, folder / PREDICTED)
        explanation = Explanation(impossible=why_not) if why_not else predicting.explanation(outcome, folder)
        live = None if task.live is None else self._live_rows(rows, sealed.predictions, outcome)
        inferred = Inferred(
            rows=len(rows.ids),
            explanation=explanation,
            out_of_range=rows.out_of_range,
            warnings=(*rows.warnings, *_compared_with(task), *library_differences(task.manifest)),
            live=live.looked_at(task.live, self._objects) if live and task.live else None,
        )
        relabelled = live.labels_for(task.live, self._objects) if live and task.live else {}
        return InferenceResult(inferred=inferred, output=rows.output + outcome.output, relabelled=relabelled)

    def _live_rows(self, rows: Rows, predictions: Predictions, outcome: Outcome) -> LiveRows:
        """The rows beside what the model was trained on, labels too if all have one."""
        truth = rows.columns.get("truth")
        is_labelled = truth is not None and not truth.null_count
        comparison = Comparison(
            bundle=self._bundle,
            manifest=self._manifest,
            labels=truth if is_labelled else None,
            predictions=predictions.labels,
            predicted=outcome.scratch,
        )
        drift = comparison.made(self._children).drift
        return LiveRows(manifest=self._manifest, ids=rows.ids, truth=truth, predictions=predictions, drift=drift)

    def _why_unexplained(self, rows: int) -> str:
        if not self._task.explained.rows:
            return "No explanation was asked for."
        if rows == 1 and not self._manifest.reference:
            return (
                "A single row is explained by how it differs from others, and the bundle has no sample of its training "
                "data (reference.parquet). Predict several rows at a time."
            )
        return ""

    def _predicting(self, rows: Rows, *, explains: bool) -> Predicting:
        manifest, budget = self._manifest, self._task.explained
        number = len(rows.ids)

        def to_explain(predictions: Predictions) -> Explaining:
            first = np.arange(min(budget.rows, number))
            return Explaining(
                manifest=manifest,
                ids=pa.chunked_array([pa.array(rows.ids, pa.string())]),
                rows=rows.shown,
                truth=None,
                predictions=predictions,
                chosen=Chosen(first, np.ones(len(first), dtype=bool)),
            )

        shape = (number, len(manifest.classes)) if manifest.task is Task.MULTILABEL else (number,)
        allowed = budget if explains else budget.model_copy(update={"rows": 0})
        return Predicting(
            self._children, manifest, shape, allowed, to_explain, report=lambda _: None, probabilities=True
        )


def write_predictions(rows: Rows, predictions: Predictions, manifest: Manifest, destination: Path) -> None:
    """One line a row: its id, what is known of it, its prediction, and probabilities and scores if there are any."""
    columns = {EVENT_ID: pa.array(rows.ids, pa.string()), **rows.columns}
    parquet.write_table(pa.table({**columns, **prediction_columns(predictions, manifest.classes)}), destination)


def _compared_with(task: InferenceTask) -> tuple[str, ...]:
    """What people should know of the data that values were compared with; nothing where it is what the model had."""
    training = task.manifest.training
    if task.known is None:
        return ("No data are known that this model was trained on: values out of range are not found.",)
    if training is None or training.query_id != task.known.query_id:
        named = title(task.known)
        return (f"The version that it was trained on is not known here; values are compared with those of {named}.",)
    return ()
