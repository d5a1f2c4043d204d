"""Models that are written, read and made to predict, as a bundle's are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from atlas.formats import Meaning, Model, format_named, load_file
from atlas.vocabulary import Task

CLASSES = ("dent", "none", "scratch")


@pytest.fixture
def frame() -> pd.DataFrame:
    """Rows of four numeric columns."""
    return pd.DataFrame(np.random.default_rng(0).normal(size=(200, 4)), columns=["peak", "rms", "speed", "duration"])


@pytest.fixture
def positions(frame: pd.DataFrame) -> np.ndarray:
    """Which of three classes each row is of, as a number."""
    return np.digitize(frame["peak"] + frame["rms"], [-0.7, 0.7])


@pytest.fixture
def values(frame: pd.DataFrame) -> np.ndarray:
    """A positive number for each row."""
    loud: np.ndarray = np.exp(frame["peak"].to_numpy() + frame["rms"].to_numpy() / 2)
    return loud


@pytest.fixture
def through(tmp_path: Path) -> Callable[..., Model]:
    """Writes a model in a format, reads it, and says what it means."""

    def pass_through(model: Any, name: str, **meaning: Any) -> Model:
        known = format_named(name)
        path = tmp_path / f"model.{known.suffix}"
        known.dump(model, path)
        said = {"task": Task.MULTICLASS, "classes": CLASSES} | meaning
        return known.adapt(load_file(path, name), Meaning(**said))

    return pass_through


def assert_close(found: np.ndarray | None, expected: Any, *, rtol: float = 1e-7, atol: float = 0.0) -> None:
    """The numbers are there, and are the expected ones."""
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)
