"""What scikit-learn says of a bundle's model on the same rows, computed without anything of Atlas but its files."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import skops.io
from sklearn import metrics as sk


def metrics_of(bundle: Path, data: Path, folder: Path) -> dict[str, float]:
    """Each metric that the manifest names."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    table = pa.ipc.open_file(str(data)).read_all()
    truth = np.array(table[manifest["target"]].to_pylist())
    rows = table.select([column["name"] for column in manifest["input_schema"]]).to_pandas()
    pipeline, model = _loaded(folder, manifest["pipeline"]), _loaded(folder, manifest["model"])
    features = pipeline.transform(rows) if pipeline is not None else rows
    return {name: _metric(name, model, features, truth) for name in manifest["metrics"]}


def _loaded(folder: Path, part: dict[str, str] | None) -> Any:
    if part is None:
        return None
    path = folder / part["member"]
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def _metric(name: str, model: Any, features: Any, truth: np.ndarray) -> float:
    predicted = model.predict(features)
    if name in REGRESSION:
        return float(REGRESSION[name](truth, predicted))
    if name in LABELS:
        return float(LABELS[name](truth, predicted))
    positive = model.classes_[-1]
    if name in POSITIVE:
        return float(POSITIVE[name](truth, predicted, pos_label=positive))
    if name in RANKING:
        return float(RANKING[name](truth == positive, _scores(model, features)))
    probabilities = model.predict_proba(features)
    if name == "roc_auc_ovr":
        return float(sk.roc_auc_score(truth, probabilities, multi_class="ovr"))
    if name == "brier_score":
        return float(sk.brier_score_loss(truth == positive, probabilities[:, 1]))
    assert name == "log_loss", f"how is {name} computed?"
    return -float(sk.get_scorer("neg_log_loss")(model, features, truth))


def _scores(model: Any, features: Any) -> np.ndarray:
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(features))
    return np.asarray(model.predict_proba(features)[:, 1])


def _macro(function: Any) -> Any:
    return lambda truth, predicted: function(truth, predicted, average="macro")


REGRESSION: dict[str, Any] = {
    "r2": sk.r2_score,
    "root_mean_squared_error": sk.root_mean_squared_error,
    "mean_absolute_error": sk.mean_absolute_error,
    "median_absolute_error": sk.median_absolute_error,
    "max_error": sk.max_error,
}
LABELS: dict[str, Any] = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "matthews_corrcoef": sk.matthews_corrcoef,
    "f1_macro": _macro(sk.f1_score),
    "precision_macro": _macro(sk.precision_score),
    "recall_macro": _macro(sk.recall_score),
}
POSITIVE: dict[str, Any] = {"f1": sk.f1_score, "precision": sk.precision_score, "recall": sk.recall_score}
RANKING: dict[str, Any] = {"roc_auc": sk.roc_auc_score, "average_precision": sk.average_precision_score}
