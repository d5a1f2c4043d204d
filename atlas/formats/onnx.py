"""ONNX: a graph of operators from any library, run by onnxruntime."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from atlas.errors import ModelError
from atlas.formats import protobuf
from atlas.formats.contract import Format, Meaning, Model
from atlas.formats.outputs import as_array, batches, is_frame, read_outputs, required, threads
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Outputs, Task

DTYPES: Mapping[str, str] = {
    "tensor(float)": "f4",
    "tensor(double)": "f8",
    "tensor(float16)": "f2",
    "tensor(int64)": "i8",
    "tensor(int32)": "i4",
    "tensor(bool)": "?",
    "tensor(string)": "O",
}
"""Types of inputs and outputs, as NumPy's."""
LABELS = frozenset({"tensor(int64)", "tensor(int32)", "tensor(bool)", "tensor(string)"})
"""Types of outputs that are classes."""
GRAPH, OPSETS = 7, 8
"""Fields of a model: its graph, and the versions of the sets of operators that it is made of."""
NODES, OPERATOR = 1, 4
"""Fields of a graph, and of a node."""
DOMAIN, VERSION = 1, 2
"""Fields of the version of a set of operators (onnx.proto of the ONNX project)."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph that is ready to run, and its file, which says more of it."""

    session: Any
    path: Path


class OnnxModel(Model):
    """A graph. Of a classifier that gives labels and, beside them, probabilities or scores, both are used."""

    def __init__(self, graph: Graph, meaning: Meaning) -> None:
        self._session = graph.session
        self._path = graph.path
        self._meaning = meaning
        outputs = self._session.get_outputs()
        self._labels = next((one.name for one in outputs if one.type in LABELS), None)
        self._numbers = next((one.name for one in outputs if one.type not in LABELS), None)
        if not self._gives_both():
            self._outputs = Outputs.LABELS if self._numbers is None else required(meaning)

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:  # noqa: ARG002 - one call gives all
        """Both outputs of a classifier, or the one output as what it is."""
        if not self._gives_both():
            (raw,) = self._run(features, [self._numbers or self._labels])
            return read_outputs(raw, self._outputs, self._meaning)
        labels, confidence = self._run(features, [self._labels, self._numbers])
        found = read_outputs(labels, Outputs.LABELS, self._meaning)
        return _with_confidence(found, confidence, self._meaning)

    def get_params(self, deep: bool = False) -> Mapping[str, Any]:  # noqa: ARG002 - the signature is scikit-learn's
        """What made the graph and what it is made of, what goes in and out, and what its author wrote into it."""
        described = self._session.get_modelmeta()
        return {
            "producer": described.producer_name,
            "graph": described.graph_name,
            "inputs": _described(self._session.get_inputs()),
            "outputs": _described(self._session.get_outputs()),
            **_made_of(self._path),
            **described.custom_metadata_map,
        }

    def _gives_both(self) -> bool:
        classifies = self._meaning.task.is_classification and self._meaning.outputs is None
        return classifies and self._labels is not None and self._numbers is not None

    def _run(self, features: Any, names: list[str | None]) -> list[np.ndarray]:
        feed = _feed(self._session.get_inputs(), features)
        rows = len(next(iter(feed.values())))
        fixed = self._session.get_inputs()[0].shape[0]
        parts = batches(rows) if not isinstance(fixed, int) else [slice(at, at + fixed) for at in range(0, rows, fixed)]
        answers = [self._session.run(names, _cut(feed, part, fixed)) for part in parts]
        return [np.concatenate([self._as_array(one) for one in each])[:rows] for each in zip(*answers, strict=True)]

    def _as_array(self, answer: Any) -> np.ndarray:
        """An output as an array; of maps from class to probability, in the manifest's order."""
        if isinstance(answer, list) and answer and isinstance(answer[0], dict):
            return np.array([[row[label] for label in self._meaning.classes] for row in answer], dtype="f8")
        return np.asarray(answer)


def _described(tensors: list[Any]) -> dict[str, str]:
    """Type and shape of inputs or outputs, by name; a length that is not fixed is a question mark."""
    shapes = {one.name: [str(size) if isinstance(size, int) else "?" for size in one.shape or []] for one in tensors}
    return {one.name: f"{one.type} [{', '.join(shapes[one.name])}]" for one in tensors}


def _made_of(path: Path) -> dict[str, Any]:
    """The versions of operator sets, and how many nodes there are of which operators; nothing if the file is gone."""
    try:
        model = np.memmap(path, np.uint8, "r").data
        opsets = dict(map(_opset, protobuf.children(model, OPSETS)))
        operators = Counter(_operators(model))
    except (OSError, ValueError):
        return {}
    return {"opsets": opsets, "nodes": operators.total(), "operators": dict(operators.most_common())}


def _opset(message: memoryview) -> tuple[str, int]:
    """The domain of a set of operators, which is empty for ONNX's own, and its version."""
    found = dict(protobuf.fields(message))
    version = found.get(VERSION)
    return _text(found.get(DOMAIN)) or "ai.onnx", version if isinstance(version, int) else 0


def _operators(model: memoryview) -> Iterator[str]:
    for graph in protobuf.children(model, GRAPH):
        for node in protobuf.children(graph, NODES):
            yield _text(dict(protobuf.fields(node)).get(OPERATOR))


def _text(content: int | memoryview | None) -> str:
    return bytes(content).decode(errors="replace") if isinstance(content, memoryview) else ""


def _feed(inputs: list[Any], features: Any) -> dict[str, np.ndarray]:
    """The features as the graph's one input, or each column as the input of its name."""
    if len(inputs) == 1:
        return {inputs[0].name: as_array(features, DTYPES[inputs[0].type])}
    if not is_frame(features):
        raise ModelError(f"The model has {len(inputs)} inputs, by column name, and the pipeline gives no data frame.")
    absent = [one.name for one in inputs if one.name not in features.columns]
    if absent:
        raise ModelError(f"The model has an input {absent[0]!r}, and there is no such column.")
    return {one.name: _shaped(as_array(features[[one.name]], DTYPES[one.type]), one.shape) for one in inputs}


def _shaped(column: np.ndarray, wanted: list[Any]) -> np.ndarray:
    return column.reshape(-1) if len(wanted) == 1 else column


def _cut(feed: Mapping[str, np.ndarray], part: slice, fixed: Any) -> dict[str, np.ndarray]:
    """Some rows of the feed; of a graph that takes a fixed number, the last row fills up what is missing."""
    rows = {name: values[part] for name, values in feed.items()}
    if not isinstance(fixed, int):
        return rows
    return {name: values[np.minimum(np.arange(fixed), len(values) - 1)] for name, values in rows.items()}


def _with_confidence(found: Predictions, confidence: np.ndarray, meaning: Meaning) -> Predictions:
    """Labels with their probabilities, or with scores: some converters call both probabilities."""
    numbers = np.asarray(confidence, dtype="f8").reshape(len(found.labels), -1)
    if _are_probabilities(numbers, meaning):
        return replace(found, probabilities=numbers)
    return replace(found, scores=numbers[:, 0] if numbers.shape[1] == 1 else numbers)


def _are_probabilities(numbers: np.ndarray, meaning: Meaning) -> bool:
    if numbers.shape[1] != len(meaning.classes) or numbers.min() < 0 or numbers.max() > 1 + 1e-5:
        return False
    return meaning.task is Task.MULTILABEL or bool(np.allclose(numbers.sum(axis=1), 1, atol=1e-3))


def dump(model: Any, path: Path) -> None:
    """Write a model of the package onnx, or its bytes."""
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())


def load(path: Path, own_modules: frozenset[str]) -> Graph:  # noqa: ARG001 - the registry's signature
    """Read a graph for the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    return Graph(onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]), path)


FORMAT = Format(
    name="onnx",
    suffixes=("onnx",),
    package="onnxruntime",
    libraries=("onnxruntime",),
    requirement="atlas-benchmark[onnx]",
    dump=dump,
    load=load,
    adapt=OnnxModel,
)
