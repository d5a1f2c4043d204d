"""What the engine is measured with: models and their data, made once and kept in a folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import atlas
from atlas.datasets import read_arrow, write_arrow

TARGET = "label"
METRICS = ("f1_weighted", "accuracy", "precision_weighted", "recall_weighted", "roc_auc_ovr_weighted", "log_loss")
"""Those that `mlflow.models.evaluate` computes of a classifier."""
PACKED = datetime(2026, 1, 1, tzinfo=UTC)
INFORMATIVE = 8
"""Columns that the label follows from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model and its data.

    Attributes:
        name: of the subject, and of the dataset tag.
        rows: events that the model is benchmarked on.
        columns: numbers of each event.
        classes: of the events.
        noise: how much of the label is chance: the standard deviation of what is added to each class's score.
        training_rows: events that it is trained on.
        estimator: makes the unfitted model.
        metrics: what is measured.
        bundles: how many files hold the model, each under a name of its own, so that each is a model of its own.
    """

    name: str
    rows: int
    columns: int
    classes: int
    noise: float
    training_rows: int
    estimator: Callable[[], Any]
    metrics: tuple[str, ...] = METRICS
    bundles: int = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """A subject as files in a folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The dataset tag."""
        return self.folder.name

    @property
    def data(self) -> Path:
        """The Arrow file of the events, with their labels."""
        return self.folder / "data.arrow"

    @property
    def model(self) -> Path:
        """The fitted model, by joblib and uncompressed."""
        return self.folder / "model.joblib"

    @property
    def bundles(self) -> list[Path]:
        """The model as Atlas gets it, once or more often."""
        return sorted(self.folder.glob("*.atlas"))

    @property
    def data_bytes(self) -> int:
        """How large the data are."""
        return self.data.stat().st_size


def subjects(*, quick: bool) -> dict[str, Subject]:
    """The subjects by name; small ones, which say nothing of speed, if it must be quick."""
    boosting = partial(
        HistGradientBoostingClassifier, max_iter=4 if quick else 100, early_stopping=False, random_state=0
    )
    forest = partial(RandomForestClassifier, 10 if quick else 200, random_state=0)
    shape: dict[str, Any] = {"rows": 5_000 if quick else 100_000, "columns": 40, "classes": 5, "noise": 1.0}
    found = (
        Subject(name="forest", training_rows=4_000 if quick else 40_000, estimator=forest, **shape),
        Subject(name="boosting", training_rows=4_000 if quick else 40_000, estimator=boosting, bundles=4, **shape),
        Subject(
            name="empty",
            rows=60,
            columns=4,
            classes=3,
            noise=0.5,
            training_rows=60,
            estimator=LogisticRegression,
            metrics=("accuracy",),
            bundles=4 if quick else 40,
        ),
        Subject(
            name="large",
            rows=20_000 if quick else 400_000,
            columns=320,
            classes=3,
            noise=1.0,
            training_rows=10_000,
            estimator=partial(HistGradientBoostingClassifier, max_iter=4 if quick else 50, max_bins=15, random_state=0),
            bundles=10,
        ),
    )
    return {subject.name: subject for subject in found}


def prepare(subject: Subject, base: Path) -> Prepared:
    """The subject's files below `base`, made if they are not there or are those of another subject."""
    prepared = Prepared(base / subject.name)
    prepared.folder.mkdir(parents=True, exist_ok=True)
    made_of = prepared.folder / "subject.json"
    if made_of.exists() and made_of.read_text() == _described(subject):
        return prepared
    for old in prepared.folder.iterdir():
        old.unlink()
    _make(subject, prepared)
    made_of.write_text(_described(subject))
    return prepared


def _described(subject: Subject) -> str:
    shape = {
        name: getattr(subject, name)
        for name in ("rows", "columns", "classes", "noise", "training_rows", "metrics", "bundles")
    }
    return json.dumps({**shape, "estimator": repr(subject.estimator())})


def _make(subject: Subject, prepared: Prepared) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(INFORMATIVE, subject.classes))
    training, labels = events(subject, subject.training_rows, weights, random)
    joblib.dump(subject.estimator().fit(training, labels), prepared.model)
    frame, labels = events(subject, subject.rows, weights, random)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    ids = pa.array([f"e/{number:08}" for number in range(subject.rows)])
    write_arrow(table.add_column(0, TARGET, pa.array(labels)).add_column(0, "id", ids), prepared.data)
    for number in range(subject.bundles):
        _pack(subject, prepared, training.head(), PACKED + timedelta(seconds=number))


def events(
    subject: Subject, rows: int, weights: np.ndarray, random: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Events and their labels, which follow from some of the columns and from chance."""
    values = random.normal(size=(rows, subject.columns))
    informative = values[:, :INFORMATIVE]
    used = weights[: informative.shape[1]]
    scores = informative @ used + np.sin(2 * informative) @ used
    labels = (scores + random.normal(scale=subject.noise, size=scores.shape)).argmax(axis=1)
    frame = pd.DataFrame(values, columns=[f"x{number:03}" for number in range(subject.columns)])
    return frame, np.array([f"class {label}" for label in labels])


def _pack(subject: Subject, prepared: Prepared, example: pd.DataFrame, created: datetime) -> None:
    atlas.pack(
        prepared.model,
        prepared.folder,
        name=subject.name,
        version="1.0.0",
        use_case="benchmark of the engine",
        task="multiclass",
        author=("The Atlas authors", "atlas@example.org"),
        tags=[subject.name],
        metrics=subject.metrics,
        example=example,
        created=created,
    )


def features(prepared: Prepared) -> pa.Table:
    """The columns that the model predicts from, mapped into memory."""
    table = read_arrow(prepared.data)
    return table.drop_columns(["id", TARGET])
