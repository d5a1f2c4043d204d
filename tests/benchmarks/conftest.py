"""A subject that is made in a moment."""

from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks.subjects import Prepared, Subject, prepare

SMALL = Subject(
    name="small",
    rows=200,
    columns=4,
    classes=3,
    noise=0.5,
    training_rows=200,
    estimator=LogisticRegression,
    bundles=2,
)


@pytest.fixture
def small(tmp_path: Path) -> Prepared:
    """A logistic regression in two bundles, and 200 events."""
    return prepare(SMALL, tmp_path / "subjects")
