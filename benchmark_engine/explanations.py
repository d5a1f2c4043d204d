"""The engine's side of an explanation: which rows a child explains, what it found, and the files that keep it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from atlas.manifest import Manifest
from atlas.metrics import Predictions
from atlas.results import Explanation
from atlas.vocabulary import Label, Task
from benchmark_engine.chosen import Chosen, choose, confidence_of
from benchmark_engine.evaluation import EVENT_ID, EvaluationData
from benchmark_engine.sandbox.limits import ExplanationBudget
from benchmark_engine.sandbox.protocol import (
    EFFECTS,
    EXPLAINED_ROWS,
    EXPLANATION,
    LOCAL,
    SHAP_VALUES,
    SINGLE,
    AnswerError,
    EffectAnswer,
    ExplainAnswer,
    read_array,
    read_document,
)
from explainability.explained import Effect, Explained, Findings
from explainability.summary import summarized

VALUES = "explained.arrow"
"""The values of each explained event: `explainability.explained`."""
EVENTS = "events.parquet"
"""The rows of the dataset that were explained."""
MOST_VALUES = 50_000_000
"""So many SHAP values, 200 MB, an engine takes of a child."""
MOST_EVENT_BYTES = 64 << 20
"""Of events with large signals so many bytes are kept, before compression; the later events are left out."""


class NotExplainedError(AnswerError):
    """The child said why there is no explanation."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explaining:
    """Some events that a child is to explain, with what it will not be told of them.

    Attributes:
        manifest: of the model.
        ids: of all events.
        rows: gives some of the events with all their columns, by their numbers.
        truth: (n,) or (n, k) of all events; None where it is not known.
        predictions: of all events.
        chosen: which events.
    """

    manifest: Manifest
    ids: pa.ChunkedArray
    rows: Callable[[np.ndarray], pa.Table]
    truth: np.ndarray | None
    predictions: Predictions
    chosen: Chosen

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        data: EvaluationData,
        truth: np.ndarray,
        predictions: Predictions,
        budget: ExplanationBudget,
    ) -> "Explaining":
        """Choose the events, by how well they are predicted."""
        chosen = choose(truth, predictions, manifest.task, most=budget.rows)
        return cls(
            manifest=manifest,
            ids=data.ids(manifest.target),
            rows=partial(data.rows, target=manifest.target),
            truth=truth,
            predictions=predictions,
            chosen=chosen,
        )

    def taken(self, scratch: Path, folder: Path | None) -> Explanation:
        """Take over what a child that has ended wrote.

        Args:
            scratch: where it wrote.
            folder: where `VALUES` and `EVENTS` are kept.

        Raises:
            AnswerError: it wrote nothing that is an explanation.
        """
        answer, findings = read_findings(scratch, most_rows=len(self.chosen.rows))
        explained = self._explained(findings)
        if folder is not None:
            explained.write(folder / VALUES)
            self._write_events(len(explained), folder / EVENTS)
        return summarized(findings, explained.is_sampled, of_rows=len(self.predictions.labels), seconds=answer.seconds)

    def _explained(self, findings: Findings) -> Explained:
        rows = self.chosen.rows[: len(findings.values)]
        return Explained(
            findings=findings,
            ids=np.array([str(event) for event in self._ids(rows)], dtype=object),
            truth=np.full(len(rows), "", dtype=object) if self.truth is None else self._as_text(self.truth[rows]),
            predicted=self._as_text(self.predictions.labels[rows]),
            confidence=confidence_of(self.predictions)[rows],
            is_sampled=self.chosen.is_sampled[: len(rows)],
        )

    def _ids(self, rows: np.ndarray) -> list[object]:
        found: list[object] = self.ids.take(pa.array(rows)).to_pylist()
        return found

    def _as_text(self, labels: np.ndarray) -> np.ndarray:
        return as_text(labels, self.manifest.classes, self.manifest.task)

    def _write_events(self, count: int, path: Path) -> None:
        """The rows of the dataset of the first so many events, as Parquet: the id as text, then all columns."""
        rows = self.chosen.rows[:count]
        table = self.rows(rows)
        fitting = max(1, int(count * min(1.0, MOST_EVENT_BYTES / max(table.nbytes, 1))))
        columns = {EVENT_ID: [str(event) for event in self._ids(rows[: len(table)])]}
        columns |= {name: table[name] for name in table.column_names if name != EVENT_ID}
        parquet.write_table(pa.table(columns).slice(0, fitting), path, compression="zstd")


def as_text(labels: np.ndarray, classes: tuple[Label, ...], task: Task) -> np.ndarray:
    """Labels for people: sets of them are joined by commas."""
    if task is not Task.MULTILABEL:
        return np.array([str(label) for label in labels.tolist()], dtype=object)
    sets = (", ".join(str(classes[place]) for place in np.flatnonzero(row)) for row in labels)
    return np.array(list(sets), dtype=object)


def read_findings(scratch: Path, *, most_rows: int) -> tuple[ExplainAnswer, Findings]:
    """What a child found out about its model, on at most so many rows.

    Raises:
        NotExplainedError: it says why it found nothing.
        AnswerError: what it wrote is not what it should be.
    """
    answer = read_document(ExplainAnswer, scratch / EXPLANATION)
    if answer.impossible:
        raise NotExplainedError(answer.impossible)
    features, outputs = len(answer.features), len(answer.outputs)
    consistent = len(answer.sources) == features and len(answer.base_values) == outputs
    if answer.tree and len(answer.tree.nodes[0].answer) != outputs:
        raise AnswerError(f"{EXPLANATION} has a tree with another number of outputs")
    if not (consistent and features and outputs and 0 < answer.rows <= most_rows and answer.local_rows <= answer.rows):
        raise AnswerError(f"{EXPLANATION} contradicts itself")
    if answer.rows * features * outputs > MOST_VALUES:
        raise AnswerError(f"{EXPLANATION} has more than {MOST_VALUES:,} values")
    shape = (features, outputs)
    local = read_array(scratch / LOCAL, (answer.local_rows, *shape), SINGLE) if answer.local_rows else None
    return answer, Findings(
        method=answer.method,
        output=answer.output,
        outputs=answer.outputs,
        base_values=np.array(answer.base_values),
        features=answer.features,
        sources=answer.sources,
        rows=read_array(scratch / EXPLAINED_ROWS, (answer.rows, features), SINGLE, finite=False),
        values=read_array(scratch / SHAP_VALUES, (answer.rows, *shape), SINGLE),
        value_error=answer.value_error,
        gap=answer.gap,
        background=answer.background,
        background_rows=answer.background_rows,
        local=local,
        effects=_effects(scratch, answer.effects, outputs),
        tree=answer.tree,
    )


def _effects(scratch: Path, effects: tuple[EffectAnswer, ...], outputs: int) -> tuple[Effect, ...]:
    if not effects:
        return ()
    sizes = [effect.lines * len(effect.grid) * outputs for effect in effects]
    if sum(sizes) > MOST_VALUES:
        raise AnswerError(f"{EFFECTS} has more than {MOST_VALUES:,} numbers")
    numbers = read_array(scratch / EFFECTS, (sum(sizes),), SINGLE)
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    return tuple(
        Effect(
            feature=effect.feature,
            grid=np.array(effect.grid, dtype=np.float32),
            lines=part.reshape(effect.lines, len(effect.grid), outputs),
        )
        for effect, part in zip(effects, parts, strict=True)
    )
