"""What a reader of the documents has at hand: a fitted model, rows, recordings, and the files that commands name."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import atlas
from bags.signals import NANOSECONDS
from tests.bags import recordings
from tests.bags.recordings import CHUNK_TYPE, Entry
from tests.docs.commands import ROOT, blocks

COLUMNS = ["peak", "rms"]
SECONDS, BEGAN = 60, datetime(2026, 3, 1, 10, tzinfo=UTC)
LABELS_OF_A_DRIVE = "start,end,label\n12.4,12.9,dent\n20.0,20.5,none\n"
TRAIN = "from tests.docs.belongings import write_model\n\nwrite_model()\n"


def rows(number: int = 120, seed: int = 0) -> pd.DataFrame:
    """Labelled events, as a table of recordings has them; the same ones for each seed."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(number, 2)), columns=COLUMNS)
    dented = frame["peak"] + rng.normal(scale=0.3, size=number) > 0
    frame = frame.assign(label=np.where(dented, "dent", "none"), speed=rng.uniform(0, 30, number))
    return frame.assign(id=[f"{12.5 + second:.1f}" for second in range(number)])


def model(strength: float = 1.0) -> LogisticRegression:
    """A fitted model; with another strength it is another one."""
    frame = rows()
    return LogisticRegression(C=strength).fit(frame[COLUMNS], frame["label"])


def scaler() -> StandardScaler:
    """A fitted pipeline of one step."""
    return StandardScaler().set_output(transform="pandas").fit(rows()[COLUMNS])


def pack(name: str, folder: Path, strength: float = 1.0) -> Path:
    """The bundle of a model whose whole name is given, such as `DamageDetector-1.0.0-1767323045`."""
    family, version, seconds = name.split("-")
    told = description() | {"name": family, "version": version, "created": datetime.fromtimestamp(int(seconds), UTC)}
    return atlas.pack(model(strength), folder, **told, reference=rows()[[*COLUMNS, "label"]])


def description() -> dict[str, Any]:
    """What `atlas.pack` wants to know beside the model."""
    return {
        "name": "DamageDetector",
        "version": "1.0.0",
        "use_case": "damage detector",
        "task": "binary",
        "author": ("Ines Prado", "ines@example.org"),
        "tags": ["impacts", "winter-2026", "crash-tests"],
        "metrics": ["f1", "roc_auc"],
        "example": rows()[COLUMNS].head(),
    }


def write_model(folder: Path = Path()) -> None:
    """What a script that trains leaves behind: the model and a few of the rows that it needs."""
    joblib.dump(model(), folder / "model.joblib")
    rows()[COLUMNS].head().to_csv(folder / "rows.csv", index=False)


def write(folder: Path) -> None:
    """Make a folder with all files that the documents' commands name."""
    folder.mkdir(parents=True)
    write_model(folder)
    rows()[COLUMNS].head().to_csv(folder / "mine.csv", index=False)
    rows().to_csv(folder / "monday.csv", index=False)
    bag(folder / "drive.bag")
    (folder / "ride.bag").write_bytes((folder / "drive.bag").read_bytes())
    (folder / "20261127T101500Z-3.bag.active").write_bytes((folder / "drive.bag").read_bytes()[:60_000])
    for name in ("ride.csv", "drive.csv"):
        (folder / name).write_text(LABELS_OF_A_DRIVE)
    (folder / "labels.csv").write_text(shown_by("how-to/bring-recordings-in.md", "$ cat labels.csv"))
    (folder / "costs.py").write_text(first("how-to/add-a-custom-metric.md", "python"))
    (folder / "train.py").write_text(TRAIN)
    (folder / "admin-password").write_text("9fKz-wq3-Lm")
    (folder / "damage.yaml").write_text(first("reference/cli.md", "yaml"))
    (folder / "damage-detector.yaml").write_text(first("how-to/train-a-model.md", "yaml"))


def bag(path: Path) -> None:
    """A minute of a drive: air, gas and two microphones."""
    ros = recordings.ros_of("bag")
    entries: list[Entry] = []
    store = recordings.typestore(ros)
    for number in range(SECONDS):
        time = int(BEGAN.timestamp() + number) * NANOSECONDS
        warm = recordings.temperature(store, time, 20.0 + number / 10, ros)
        entries += [(topic, "sensor_msgs/msg/Temperature", time, warm) for topic in ("/air", "/gas")]
        samples = np.arange(2000).reshape(-1, 2) + number
        entries.append(("/microphones", CHUNK_TYPE, time, recordings.audio(store, time, number * 1000, samples, ros)))
    recordings.write_ros1(path, sorted(entries, key=lambda entry: entry[2]))


def first(document: str, language: str) -> str:
    """The first block of a language in a document below docs/."""
    return next(block.text for block in blocks(ROOT / "docs" / document) if block.language == language)


def shown_by(document: str, command: str) -> str:
    """What a document shows as the answer to a command, up to the next one."""
    text = next(block.text for block in blocks(ROOT / "docs" / document) if command in block.text)
    return text.partition(f"{command}\n")[2].partition("$ ")[0]
