"""A real ingestion engine with two small datasets, and configurations that learn from them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from atlas.ingestion import IngestionClient
from tests.ingestion_engine.engine import COMPONENTS_TOKEN
from tests.ingestion_engine.server import prepared, serving
from training_engine.config import TrainingConfiguration, load

ROWS = 300


def impacts() -> pd.DataFrame:
    """Events whose label depends on two of their columns, with every kind of column there is."""
    generator = np.random.default_rng(5)
    peak, rms = generator.normal(size=(2, ROWS))
    damaged = peak + 0.3 * rms > 0
    return pd.DataFrame(
        {
            "id": [f"e{number}" for number in range(ROWS)],
            "time": pd.date_range("2026-03-01", periods=ROWS, freq="h", tz="UTC"),
            "label": np.where(damaged, "damaged", "intact"),
            "car": "blue",
            "peak": peak,
            "rms": rms,
            "bumps": generator.integers(0, 5, ROWS),
            "surface": generator.choice(["asphalt", "gravel"], ROWS),
            "speed": pd.Series(generator.normal(90, 20, ROWS)).where(generator.random(ROWS) > 0.2),
            "parts": [["door", "roof"] if both else ["door"] for both in damaged],
        }
    )


@contextmanager
def engine(folder: Path) -> Iterator[str]:
    """Runs an ingestion engine that holds the tags `impacts` and `nothing`; yields its address."""
    recording = folder / "impacts.parquet"
    impacts().to_parquet(recording)
    with prepared(folder) as environment, serving(environment) as url:
        client = IngestionClient(url, token=COMPONENTS_TOKEN)
        client.upload_recording(recording)
        client.create_tag("impacts", 'recording = "impacts"')
        client.create_tag("nothing", 'car = "green"')
        client.close()
        yield url


@pytest.fixture(scope="session")
def ingestion_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an ingestion engine that holds the tag `impacts`."""
    with engine(tmp_path_factory.mktemp("ingestion")) as url:
        yield url


@pytest.fixture
def ingestion(ingestion_url: str) -> Iterator[IngestionClient]:
    """A client of the ingestion engine."""
    client = IngestionClient(ingestion_url, token=COMPONENTS_TOKEN, attempts=1)
    yield client
    client.close()


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes a configuration file, with some keys changed; None leaves a key out."""

    def write(file: str = "train.yaml", **changes: Any) -> Path:
        keys: dict[str, Any] = {
            "name": "DamageDetector",
            "version": "1.0.0",
            "use_case": "damage detector",
            "task": "binary",
            "author": {"name": "Ines Prado", "email": "ines@example.org"},
            "dataset": "impacts",
            "features": ["peak", "rms"],
            "pipeline": [{"class": "sklearn.preprocessing.StandardScaler"}],
            "model": {"class": "sklearn.linear_model.LogisticRegression"},
            "metrics": ["f1", "accuracy"],
        } | changes
        path = tmp_path / file
        path.write_text(
            yaml.safe_dump({key: value for key, value in keys.items() if value is not None}, sort_keys=False)
        )
        return path

    return write


@pytest.fixture
def configured(written: Callable[..., Path]) -> Callable[..., TrainingConfiguration]:
    """Makes a configuration, with some keys changed."""

    def make(**changes: Any) -> TrainingConfiguration:
        return load(written(**changes))

    return make
