"""What is benchmarked in the chaos: small models, dataset versions, and what scikit-learn says of each pair."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

import atlas
from atlas.datasets import Split
from atlas.errors import ObjectStoreError
from tests.e2e.installation import Installation
from tests.samples import NOON

TAG = "impacts"
COLUMNS = ["peak", "rms"]
CLASSES = ["damaged", "intact"]
ROWS = 150
SLOW = """
import time
from sklearn.linear_model import LogisticRegression

class Slow(LogisticRegression):
    def predict_proba(self, X):
        time.sleep({seconds})
        return super().predict_proba(X)
"""
SLEEP_SECONDS = 0.15
"""At each of a handful of predictions, so that there is time to kill every process that there is to kill."""


@dataclass(frozen=True, slots=True)
class Result:
    """What comes out of a benchmark; the two metrics to twelve digits."""

    f1: float
    accuracy: float
    counts: list[list[int]]

    @classmethod
    def of(cls, f1: float, accuracy: float, counts: list[list[int]]) -> Self:
        """The result with its metrics rounded."""
        return cls(round(f1, 12), round(accuracy, 12), counts)


class Workload:
    """`models` models to be benchmarked on each of `versions` versions of one dataset."""

    def __init__(self, installation: Installation, *, models: int, versions: int) -> None:
        self._installation = installation
        self.models = models
        self._versions = versions
        self._folder = installation.folder / "sent"
        self._folder.mkdir()

    @property
    def benchmarks(self) -> int:
        """How many benchmarks there are to be."""
        return self.models * self._versions

    def send_versions(self) -> None:
        """Record all data: each recording makes another version of the tag."""
        client = self._installation.ingestion
        for number in range(self._versions):
            recording = self._folder / f"drive-{number}.csv"
            events(seed=number).to_csv(recording, index=False)
            client.upload_recording(recording)
            client.create_tag(TAG)

    def send_model(self, number: int) -> bool:
        """Send a model; whether the object store has taken it."""
        bundle = packed(number, self._folder)
        try:
            self._installation.objects.put(f"models/{bundle.name}", bundle)
        except ObjectStoreError:
            return False
        return True

    def expected(self) -> dict[tuple[str, int], Result]:
        """What is to come out, for the name of each model and the number of each version."""
        models = [fitted(number) for number in range(self.models)]
        return {
            (f"Impacts-1.{number}.0-{NOON.timestamp():.0f}", version): expected_of(model, rows)
            for version, rows in self._evaluated()
            for number, model in enumerate(models)
        }

    def _evaluated(self) -> Iterator[tuple[int, pd.DataFrame]]:
        client = self._installation.ingestion
        for version in client.tag(TAG).versions:
            description = client.dataset(version.query_id)
            data = self._folder / f"{version.query_id}.arrow"
            client.download(description, Split.EVALUATION, data)
            yield description.number, pa.ipc.open_file(str(data)).read_all().to_pandas()


def packed(number: int, folder: Path) -> Path:
    """The bundle of a model that takes its time to predict, in a folder of such."""
    module = folder / "slow_model.py"
    module.write_text(SLOW.format(seconds=SLEEP_SECONDS))
    return atlas.pack(
        fitted(number, _imported(module).Slow),
        folder,
        name="Impacts",
        version=f"1.{number}.0",
        use_case="damage detector",
        task="binary",
        author=("Ines Prado", "ines@example.org"),
        tags=[TAG],
        metrics=["f1", "accuracy"],
        example=events(seed=0)[COLUMNS].head(),
        reference=events(seed=0)[COLUMNS].head(20),
        format="joblib",
        code=[module],
        created=NOON,
    )


def events(*, seed: int) -> pd.DataFrame:
    """Labelled events: the noise makes every model wrong now and then."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(ROWS, len(COLUMNS))), columns=COLUMNS)
    noisy = frame["peak"] + random.normal(scale=0.5, size=ROWS)
    return frame.assign(label=np.where(noisy > 0, *CLASSES))


def fitted(number: int, kind: type[LogisticRegression] = LogisticRegression) -> LogisticRegression:
    """A model that was trained on a few events of its own."""
    rows = events(seed=1_000 + number).head(20)
    return kind().fit(rows[COLUMNS], rows["label"])


def _imported(module: Path) -> ModuleType:
    """A bundle's module, imported as its child imports it."""
    spec = spec_from_file_location(module.stem, module)
    assert spec is not None
    assert spec.loader is not None
    imported = sys.modules[module.stem] = module_from_spec(spec)
    spec.loader.exec_module(imported)
    return imported


def expected_of(model: LogisticRegression, rows: pd.DataFrame) -> Result:
    """What scikit-learn says of a model on these rows."""
    truth, predicted = rows["label"].to_numpy(), model.predict(rows[COLUMNS])
    return Result.of(
        f1_score(truth, predicted, pos_label=CLASSES[-1]),
        accuracy_score(truth, predicted),
        confusion_matrix(truth, predicted, labels=CLASSES).tolist(),
    )
