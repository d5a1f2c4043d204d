"""The stage on which the documents are played: the real processes, with the data and models that the documents name."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.docs import belongings, claims
from tests.docs.commands import ROOT, Command
from tests.docs.play import Step
from tests.e2e.installation import Installation, answers
from tests.servers import free_port

PROGRAMS = ("basename", "bash", "cat", "env", "git", "mkdir", "openssl", "rm", "setpriv", "sleep", "timeout")
"""What documents may use beside Atlas. Whatever else they name is not found, and does no harm."""
OURS = ("atlas", "dask", "gunicorn", "python")
DRIVES = 'recording ~ "drive-"'
TAGS = {
    "crash-tests": f"{DRIVES} and speed > 1",
    "winter-2026": f"{DRIVES} and speed < 29",
    "live-week": f"{DRIVES} and (has label or missing label)",
    "dents": 'label = "dent" and speed > 3',
}
PEOPLE = """
from django.contrib.auth.models import User
from django.utils import timezone
from atlas.access import Right
from storage import records
from tests.alerts import add_rule
from atlas.watching import AlertKind
person = User.objects.create_superuser("ines")
print(records.create_token(person.pk, "documents", tuple(Right), expires=None, now=timezone.now()))
add_rule("Nothing is ever good enough", AlertKind.METRIC, metric="roc_auc", threshold=2.0)
"""
ALERTS = "SELECT id FROM storage_alert WHERE recovered IS NULL"
DONE = "SELECT count(*) FROM storage_benchmark WHERE state = 'done'"


class Stage:
    """Real processes, and whoever reads the documents beside them.

    Attributes:
        values: what stands for the documents' placeholders.
    """

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.installation, self.folder = installation, folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.belongings, self.programs = folder / "belongings", folder / "bin"
        belongings.write(self.belongings)
        put_programs(self.programs)
        self._start()
        self.values: dict[str, object] = {
            "dashboard": self.url,
            "ingestion": installation.environment["ATLAS_INGESTION_URL"],
            "database": installation.environment["DATABASE_URL"],
            "objects": installation.environment["ATLAS_OBJECT_STORE"],
            "folder": folder / "kept",
            "scheduler": free_port(),
            "token": self._token(),
        }
        self._fill()

    def play(self, document: str, commands: Sequence[Command]) -> str:
        """Do all that a document says; what went wrong, and nothing if nothing did."""
        place = self.folder / document.replace("/", "-")
        self._furnish(place)
        steps = [*before(document), *(self.step(command) for command in commands)]
        (place / "steps.json").write_text(json.dumps([asdict(step) for step in steps]))
        done = subprocess.run(
            [sys.executable, "-m", "tests.docs.play", "steps.json"],
            cwd=place, env=self._environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stderr if done.returncode else ""

    def step(self, command: Command) -> Step:
        """A command with the stage's values in the place of the document's."""
        text = command.text
        for pattern, value in claims.SUBSTITUTES:
            text = re.sub(pattern, value.format(**self.values, port=free_port()), text, flags=re.MULTILINE)
        says = next((says for pattern, says in claims.SERVES if re.search(pattern, command.text)), "")
        refused = any(re.search(pattern, command.text) for pattern in claims.REFUSED)
        return Step(f"{command.document}:{command.line}", command.language, text, says, refused)

    def _start(self) -> None:
        self.installation.start_ingestion()
        self.installation.start("runserver", self.url.removeprefix("http://"), "--noreload")
        self.installation.start("run_engine")
        self.installation.wait_for(lambda: answers(f"{self.url}/login/"), "the dashboard")

    def _token(self) -> str:
        """A token of somebody who may do everything; there is a rule, too, by which every model opens an alert."""
        made = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", PEOPLE],
            env=self.installation.environment, cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return made.stdout.strip()

    def _fill(self) -> None:
        """Make the datasets and models that the documents name, and wait until they are benchmarked."""
        data, models = self.folder / "data", self.folder / "models"
        data.mkdir(parents=True)
        client = self.installation.ingestion
        for number in (1, 2, 3):
            drive = data / f"drive-{number}.csv"
            belongings.rows(seed=number).to_csv(drive, index=False)
            client.upload_recording(drive)
            if number == 1:
                client.create_tag("impacts", DRIVES)
        tags = {name: client.create_tag(name, query) for name, query in TAGS.items()}
        self.values["dents"] = tags["dents"].versions[-1].query_id
        belongings.pack(claims.MODEL, models)
        for name, strength in claims.OTHER_MODELS.items():
            belongings.pack(name, models, strength)
        for bundle in models.glob("*.atlas"):
            self.installation.objects.put(f"models/{bundle.name}", bundle)
        wanted = 5 * len(list(models.iterdir()))
        self.installation.wait_for(lambda: self.installation.rows(DONE) >= [(wanted,)], f"{wanted} benchmarks")
        self.installation.wait_for(lambda: self.installation.rows(ALERTS), "an alert")
        self.values["alert"] = self.installation.rows(ALERTS)[0][0]

    def _furnish(self, place: Path) -> None:
        """A copy of the repository, as far as a reader's commands can tell, and what the reader has at hand."""
        shutil.copytree(self.belongings, place)
        (place / f"{claims.MODEL}.atlas").symlink_to(self.folder / "models" / f"{claims.MODEL}.atlas")
        (place / ".venv").symlink_to(sys.prefix)
        (place / "models").mkdir()  # whose model nobody has trained before
        told = belongings.first("how-to/train-a-model.md", "yaml")
        (place / "models/mine.yaml").write_text(told.replace("DamageDetector", f"Detector{place.stat().st_ino}"))
        kept = {path.name for path in place.iterdir()} | {".git", ".data", "build"}
        for path in ROOT.iterdir():
            if path.name not in kept:
                (place / path.name).symlink_to(path)

    def _environment(self) -> dict[str, str]:
        return self.installation.environment | {
            "PATH": str(self.programs),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'collector/src'}",
            "ATLAS_URL": self.url,
            "ATLAS_TOKEN": str(self.values["token"]),
            "DJANGO_SUPERUSER_PASSWORD": "9fKz-wq3-Lm",
            "PYTHONUNBUFFERED": "1",
            "MPLBACKEND": "Agg",
            "BROWSER": "true",
        }


def before(document: str) -> Iterator[Step]:
    """What the reader of a document has done before."""
    if document in claims.TYPED_BEFORE:
        yield Step(f"before {document}", "sh", claims.TYPED_BEFORE[document])
    if document in claims.KNOWN_BEFORE:
        yield Step(
            f"before {document}", "python", f"from tests.docs import belongings\n{claims.KNOWN_BEFORE[document]}"
        )


def put_programs(folder: Path) -> None:
    """Make a folder of the programs that documents may use."""
    folder.mkdir(parents=True)
    for name in PROGRAMS:
        (folder / name).symlink_to(shutil.which(name) or name)
    for name in OURS:
        script(folder / name, f'exec {Path(sys.prefix, "bin", name)} "$@"')
    # A request that is refused ends curl with a failure, which its own habit would hide.
    script(folder / "curl", f'exec {shutil.which("curl")} --silent --show-error --fail-with-body "$@"')


def script(path: Path, command: str) -> None:
    """Write a program of one command."""
    path.write_text(f"#!/bin/bash\n{command}\n")
    path.chmod(0o755)
