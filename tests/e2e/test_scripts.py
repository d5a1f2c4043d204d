"""A CI job: `atlas push --wait` of a bundle to the real processes, the leaderboard, and the same bytes back."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import bundles
from tests.e2e.installation import ROOT, Installation, answers
from tests.servers import free_port

pytestmark = pytest.mark.system
COMMAND = str(Path(sys.executable).with_name("atlas"))
TOKEN = """
from django.contrib.auth.models import User
from django.utils import timezone
from atlas.access import Right, Role
from storage import records
person = User.objects.create_user("ci")
records.set_role(person.pk, Role.DATA_SCIENTIST)
print(records.create_token(person.pk, "ci", tuple(Right), expires=None, now=timezone.now()))
"""


@dataclass(frozen=True)
class Job:
    """A CI job of somebody who has a token, at an Atlas that is its own."""

    installation: Installation
    environment: dict[str, str]

    def atlas(self, *arguments: object) -> str:
        """What the command prints when all is well."""
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            env=self.environment, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def job(install: Callable[..., Installation]) -> Job:
    """A job at a dashboard that runs alone."""
    installation = install(poll_seconds=0.5)
    url = f"http://127.0.0.1:{(port := free_port())}"
    installation.start("runserver", f"127.0.0.1:{port}", "--noreload")
    installation.wait_for(lambda: answers(f"{url}/login/"), "the dashboard")
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", TOKEN],
        env=installation.environment, cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Job(installation, {**os.environ, "ATLAS_URL": url, "ATLAS_TOKEN": made.stdout.strip()})


def start_engines(installation: Installation) -> None:
    """Start the engines, with a dataset of two columns."""
    installation.start_ingestion()
    recording = installation.folder / "crash-tests.csv"
    rows = bundles.rows(200)
    rows.assign(label=bundles.labels(rows)).to_csv(recording, index=False)
    installation.ingestion.upload_recording(recording)
    installation.ingestion.create_tag("crash-tests")
    installation.start("run_engine")


def test_a_job_sends_a_model_waits_ranks_it_and_gets_the_same_bytes_back(job: Job, tmp_path: Path) -> None:
    start_engines(job.installation)
    bundle = bundles.packed(tmp_path / "packed")
    shown = job.atlas("push", "--wait", "--timeout", 120, bundle)
    assert re.search(rf"{bundle.stem}: sent\n(.*\n)*.*crash-tests v1 +done", shown), shown
    board = json.loads(job.atlas("leaderboard", "damage detector", "--json"))
    assert [row["model"]["name"] for row in board["rows"]] == [bundle.stem]
    fetched = Path(job.atlas("download", bundle.stem, "-o", tmp_path / "fetched").removesuffix("\n"))
    assert fetched.read_bytes() == bundle.read_bytes()


def test_a_push_that_is_killed_goes_on_where_it_stopped(job: Job, tmp_path: Path) -> None:
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(1_500_000, 4)), columns=list("abcd"))
    bundle = bundles.packed(tmp_path / "packed", reference=noise)
    with subprocess.Popen([COMMAND, "push", str(bundle)], env=job.environment) as process:
        job.installation.wait_for(lambda: uploads(job, "received_bytes > 0"), "the first part")
        process.kill()
    begun = uploads(job, "received_bytes < size_bytes")
    assert len(begun) == 1
    assert job.atlas("push", bundle) == f"{bundle.stem}: sent\n"
    assert uploads(job, "received_bytes = size_bytes") == begun


def uploads(job: Job, which: str) -> list[tuple[Any, ...]]:
    return job.installation.rows(f"SELECT id FROM storage_upload WHERE {which}")
