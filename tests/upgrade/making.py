"""`python -m tests.upgrade.making FOLDER`: an installation with something in every table, as a release leaves it.

It is run once, with the code of the release itself in a checkout of its tag; see CONTRIBUTING.md. What it writes:

    rows.json.gz          every row of every table, as `manage.py dumpdata` writes them
    sqlite.sql.gz         the database as SQL for SQLite
    postgresql.sql.gz     the same rows in a database for PostgreSQL
    objects.tar.gz        the folders of the object stores
"""

import gzip
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from sklearn.linear_model import LinearRegression, LogisticRegression

import atlas
from atlas.ingestion import RecordingSettings
from tests import servers
from tests.e2e.installation import Installation

LEFT_OUT = ("contenttypes", "auth.permission", "sessions", "admin.logentry")
"""What Django makes anew from the tables themselves, and what Atlas does not use."""
SETTINGS = {"poll_seconds": "0.5", "explained_rows": "20", "workers": "1", "retry_seconds": "600"}
RATE_HZ, SECONDS = 1_000, 4


def main(folder: Path) -> None:
    """Make the files, in a folder that is there."""
    with tempfile.TemporaryDirectory(prefix="atlas-upgrade-") as name, servers.postgresql() as url:
        place = Path(name)
        made = Installation(place, database_url=url, object_store=str(place / "objects"), **SETTINGS)
        with closing(made):
            live_through(made)
        rows = place / "rows.json"
        made.manage("dumpdata", "--output", str(rows), *(f"--exclude={app}" for app in LEFT_OUT))
        pack_up(folder / "rows.json.gz", rows.read_bytes())
        pack_up(folder / "postgresql.sql.gz", postgresql_dump(url))
        pack_up(folder / "sqlite.sql.gz", sqlite_dump(made, rows))
        with tarfile.open(folder / "objects.tar.gz", "w:gz") as archive:
            for store in ("objects", "ingestion"):
                archive.add(place / store, store)


def live_through(made: Installation) -> None:
    """What people and engines do with an installation from its first to its last day."""
    made.start_ingestion()
    send_table(made, "monday", flipped=False)
    send_drive(made)
    for tag, query in (("impacts", "label in ('dent', 'none')"), ("forces", "has force"), ("all", "")):
        made.ingestion.create_tag(tag, query)
    send_models(made)
    engine = made.start("run_engine")
    wait_for_benchmarks(made, done=3)
    made.manage("shell", "-c", "from tests.upgrade import filling; filling.before_the_fall()")
    send_table(made, "tuesday", flipped=True)
    wait_for_benchmarks(made, done=6)
    made.wait_for(lambda: number(made, "storage_alert"), "the alert that a score fell")
    made.wait_for(lambda: number(made, "storage_inference WHERE state = 'done'") >= 2, "predictions")
    engine.terminate()
    engine.wait()
    made.manage("shell", "-c", "from tests.upgrade import filling; filling.last()")


def number(made: Installation, rows: str) -> int:
    """How many rows there are."""
    return int(made.rows(f"SELECT count(*) FROM {rows}")[0][0])


def wait_for_benchmarks(made: Installation, *, done: int) -> None:
    """Wait until so many benchmarks are done."""
    made.wait_for(lambda: number(made, "storage_benchmark WHERE state = 'done'") == done, f"{done} benchmarks")


def table(rows: int = 40, *, flipped: bool) -> pd.DataFrame:
    """Labelled events; the label follows from the peak, or from its opposite."""
    peak = np.random.default_rng(rows).normal(size=rows).round(3)
    is_dent = (peak > 0) ^ flipped
    return pd.DataFrame(
        {
            "peak": peak + 3 * flipped,
            "rms": (peak**2).round(3),
            "label": np.where(is_dent, "dent", "none"),
            "force": (10 + 3 * peak).round(2),
            "time": pd.date_range("2026-01-01", periods=rows, freq="h", tz="UTC").astype(str),
            "car": ["A1", "B2"] * (rows // 2),
        }
    )


def send_table(made: Installation, name: str, *, flipped: bool) -> None:
    """A table of events as a recording."""
    path = made.folder / f"{name}.csv"
    table(60 if flipped else 40, flipped=flipped).to_csv(path, index=False)
    made.ingestion.upload_recording(path)


def send_drive(made: Installation) -> None:
    """A recording of sound, labelled by a file, with an event that somebody changes and one that somebody deletes."""
    sound, labels = made.folder / "drive.wav", made.folder / "drive.labels.csv"
    soundfile.write(sound, np.random.default_rng(0).normal(0, 0.1, RATE_HZ * SECONDS), RATE_HZ, subtype="PCM_16")
    labels.write_text("start,end,label,car\n0,1,scratch,A1\n1,2,scratch,A1\n2,3,noise,A1\n")
    made.ingestion.send_recording(sound, settings=RecordingSettings())
    made.ingestion.send_labels("drive", labels)
    made.ingestion.wait("drive")
    event = next(iter(made.ingestion.events("drive")))
    made.ingestion.delete_event("drive", event.id.removeprefix("drive/"), since=event.since)


def send_models(made: Installation) -> None:
    """Two classifiers and a regression, with samples of what they were trained on."""
    known = table(flipped=False)
    columns = known[["peak", "rms"]]
    classifier = LogisticRegression().fit(columns, known["label"])
    weaker = LogisticRegression(C=0.001).fit(columns, known["label"])
    for version, model in (("1.0.0", classifier), ("1.1.0", weaker)):
        pack(made, model, columns, name="Dents", version=version, task="binary", tags=["impacts"], metrics=["f1"])
    strength = LinearRegression().fit(columns, known["force"])
    pack(
        made,
        strength,
        columns,
        name="Force",
        version="2.0.0",
        task="regression",
        tags=["forces"],
        metrics=["mean_absolute_error"],
        target="force",
    )


def pack(made: Installation, model: object, columns: pd.DataFrame, **described: object) -> None:
    """Put a model into the store as its author does."""
    bundle = atlas.pack(
        model,
        made.folder,
        use_case=f"{described['name']} found".lower(),
        author=("Ines Prado", "ines@example.org"),
        example=columns.head(),
        reference=columns,
        **described,  # type: ignore[arg-type]
    )
    made.objects.put(f"models/{bundle.name}", bundle)


def pack_up(path: Path, content: bytes) -> None:
    """Write a file, compressed, so that the same content makes the same file."""
    path.write_bytes(gzip.compress(content, mtime=0))


def postgresql_dump(url: str) -> bytes:
    """The database as SQL that any client can run: what begins with a backslash is for psql alone."""
    command = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", url]
    dumped = subprocess.run(command, check=True, capture_output=True).stdout
    return b"\n".join(line for line in dumped.split(b"\n") if not line.startswith(b"\\"))


def sqlite_dump(made: Installation, rows: Path) -> bytes:
    """The same rows in tables that the release makes in SQLite, as SQL."""
    path = rows.with_name("atlas.sqlite3")
    environment = {**made.environment, "DATABASE_URL": f"sqlite:///{path}"}
    for command in (("migrate", "--verbosity", "0"), ("loaddata", str(rows))):
        subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True)
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()).encode()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
    main(Path(sys.argv[1]))
