"""Explained events: the SHAP values of each, and the file that keeps them.

What figures are drawn from. Needs neither shap nor scikit-learn, so that a process that only shows them starts fast.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from atlas.errors import AtlasError
from atlas.results import SurrogateTree

Output = Literal["probability", "margin", "value", "vote"]
"""What SHAP values add up to; a margin is what a model turns into a probability, a class or, by exp, a value; a vote is
1 for the class that is predicted and 0 for all others."""

Background = Literal["reference", "data", "model"]
"""What "feature unknown" means: a sample of the training data, one of the data, or the model's own counts of rows."""

KEY = b"atlas.explanation"
LINES = b"atlas.effects"
"""The keys in a file's metadata: what values mean, as JSON; and the lines of all effects, single precision."""


class ExplainedError(AtlasError):
    """A file does not hold explained events."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effect:
    """What the model answers for some events if one feature is set to each value of a grid, all else left as it is.

    The lines are individual conditional expectations (ICE: Goldstein et al., 2015); their mean is the partial
    dependence (Friedman, 2001).

    Attributes:
        feature: its name.
        grid: (points,) values, upwards.
        lines: (lines, points, outputs) what the model answers for each event.
    """

    feature: str
    grid: np.ndarray
    lines: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """What explaining a model on n events gave. All arrays but `base_values` are single precision.

    Attributes:
        method: how the values were computed, in a few words for people.
        output: what they add up to.
        outputs: names of the outputs: the classes, the positive one of two, or the target.
        base_values: (outputs,) what the model gives before any feature is known.
        features: names of what the model gets.
        sources: for each feature the column of the dataset that it is made of; empty if of several, or unknown.
        rows: (n, features) what the model got; NaN where that is missing or no number.
        values: (n, features, outputs) SHAP values.
        value_error: standard error of a value, root mean square over all; 0 where values are exact.
        gap: by how much base and values miss the model's answer at most, relative to the size of the answers.
        background: what "feature unknown" means.
        background_rows: how many rows that was.
        local: (m, features, outputs) slopes of a linear model round each of the first m events, times the distance of
            the event's features from their mean (LIME: Ribeiro et al., 2016); empty if there is none.
        effects: how the answer moves with the most important features.
        tree: a shallow tree that does roughly what the model does.
    """

    method: str
    output: Output
    outputs: tuple[str, ...]
    base_values: np.ndarray
    features: tuple[str, ...]
    sources: tuple[str, ...]
    rows: np.ndarray
    values: np.ndarray
    value_error: float = 0.0
    gap: float = 0.0
    background: Background = "data"
    background_rows: int = 0
    local: np.ndarray | None = None
    effects: tuple[Effect, ...] = ()
    tree: SurrogateTree | None = None

    @property
    def answers(self) -> np.ndarray:
        """(n, outputs) what the model answers: base plus values."""
        return np.asarray(self.base_values + self.values.sum(axis=1, dtype=float))


@dataclass(frozen=True, kw_only=True, eq=False)
class Explained:
    """Explained events with what is known of them.

    Attributes:
        findings: of the model on these events.
        ids: (n,) text: the events' ids.
        truth: (n,) text: true classes; sets of labels are joined by commas; numbers of a regression; empty if unknown.
        predicted: (n,) likewise.
        confidence: (n,) probability of the predicted class; NaN where there is none.
        is_sampled: (n,) whether an event is of the fair sample; the others were picked for being predicted worst.
    """

    findings: Findings
    ids: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    is_sampled: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def place(self) -> dict[str, int]:
        """The number of each event, by its id."""
        return {str(name): number for number, name in enumerate(self.ids.tolist())}

    def write(self, path: Path) -> None:
        """Keep them in an Arrow file, compressed: 1,000 events of 100 features and 10 outputs take less than 5 MB."""
        findings = self.findings
        table = pa.table(
            {
                "id": pa.array(self.ids.tolist(), pa.string()),
                "truth": pa.array(self.truth.tolist(), pa.string()),
                "predicted": pa.array(self.predicted.tolist(), pa.string()),
                "confidence": pa.array(self.confidence, pa.float32()),
                "is_sampled": pa.array(self.is_sampled, pa.bool_()),
                "features": _lists(findings.rows, len(self)),
                "values": _lists(findings.values, len(self)),
                "local": _lists(findings.local, len(self)),
            }
        ).replace_schema_metadata({KEY: json.dumps(_said(findings)).encode(), LINES: _lines(findings.effects)})
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_file(path, table.schema, options=options) as writer:
            writer.write_table(table)


def read(source: Path | bytes) -> Explained:
    """What `Explained.write` wrote, from a file or its content.

    Raises:
        ExplainedError: it is no such file.
    """
    try:
        buffer = pa.BufferReader(source) if isinstance(source, bytes) else pa.memory_map(str(source))
        with buffer, pa.ipc.open_file(buffer) as file:
            return _explained(file.read_all())
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise ExplainedError(f"The file does not hold explained events: {error}") from error


def _lists(array: np.ndarray | None, rows: int) -> pa.Array:
    """A list of numbers for each row; null where there are none for so many rows."""
    if array is None:
        return pa.nulls(rows, pa.list_(pa.float32()))
    width = int(np.prod(array.shape[1:]))
    offsets = np.minimum(np.arange(rows + 1), len(array)) * width
    numbers = pa.array(np.ascontiguousarray(array, dtype=np.float32).ravel())
    missing = pa.array(np.arange(rows) >= len(array))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), numbers, mask=missing)


def _numbers(column: pa.ChunkedArray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The rows that have numbers, which are the first ones; None if none has."""
    numbers = pa.concat_arrays([chunk.flatten() for chunk in column.chunks]).to_numpy(zero_copy_only=False)
    return numbers.reshape(-1, *shape) if len(numbers) else None


def _said(findings: Findings) -> dict[str, Any]:
    return {
        "method": findings.method,
        "output": findings.output,
        "outputs": findings.outputs,
        "base_values": findings.base_values.tolist(),
        "features": findings.features,
        "sources": findings.sources,
        "value_error": findings.value_error,
        "gap": findings.gap,
        "background": findings.background,
        "background_rows": findings.background_rows,
        "effects": [
            {"feature": effect.feature, "grid": effect.grid.tolist(), "lines": len(effect.lines)}
            for effect in findings.effects
        ],
        "tree": findings.tree and findings.tree.model_dump(mode="json"),
    }


def _lines(effects: Sequence[Effect]) -> bytes:
    return b"".join(np.ascontiguousarray(effect.lines, dtype="<f4").tobytes() for effect in effects)


def _effects(said: Sequence[dict[str, Any]], content: bytes, outputs: int) -> tuple[Effect, ...]:
    found, start = [], 0
    numbers = np.frombuffer(content, dtype="<f4")
    for each in said:
        shape = (each["lines"], len(each["grid"]), outputs)
        stop = start + int(np.prod(shape))
        lines = numbers[start:stop].reshape(shape)
        found.append(Effect(feature=each["feature"], grid=np.array(each["grid"], dtype=np.float32), lines=lines))
        start = stop
    return tuple(found)


def _explained(table: pa.Table) -> Explained:
    metadata = table.schema.metadata or {}
    said = json.loads(metadata[KEY])
    features, outputs = len(said["features"]), len(said["outputs"])
    rows, values = _numbers(table["features"], (features,)), _numbers(table["values"], (features, outputs))
    findings = Findings(
        method=said["method"],
        output=said["output"],
        outputs=tuple(said["outputs"]),
        base_values=np.array(said["base_values"], dtype=float),
        features=tuple(said["features"]),
        sources=tuple(said["sources"]),
        rows=np.empty((0, features), np.float32) if rows is None else rows,
        values=np.empty((0, features, outputs), np.float32) if values is None else values,
        value_error=said["value_error"],
        gap=said["gap"],
        background=said["background"],
        background_rows=said["background_rows"],
        local=_numbers(table["local"], (features, outputs)),
        effects=_effects(said["effects"], metadata[LINES], outputs),
        tree=SurrogateTree.model_validate(said["tree"]) if said["tree"] else None,
    )
    return Explained(
        findings=findings,
        ids=_objects(table["id"]),
        truth=_objects(table["truth"]),
        predicted=_objects(table["predicted"]),
        confidence=table["confidence"].to_numpy(),
        is_sampled=table["is_sampled"].to_numpy(),
    )


def _objects(column: pa.ChunkedArray) -> np.ndarray:
    return np.array(column.to_pylist(), dtype=object)
