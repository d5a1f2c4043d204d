"""The tutorial does what it says."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.installation import ROOT, Installation, answers
from tests.servers import free_port

pytestmark = pytest.mark.system

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
BENCHMARKS = """
    SELECT v.number, b.state, (SELECT count(*) FROM storage_metric WHERE benchmark_id = b.id AND value > 0.5)
    FROM storage_benchmark b JOIN storage_datasetversion v ON v.id = b.dataset_version_id ORDER BY v.number
"""
TOKEN = """
from pathlib import Path
from django.contrib.auth.models import User
from atlas.access import Right
from storage import records
from django.utils import timezone
owner = User.objects.create_superuser("ines")
rights = [Right.READ, Right.WRITE]
secret = records.create_token(owner.pk, "tutorial", rights, expires=None, now=timezone.now())
Path("{path}").write_text(secret)
"""
"""Makes the token that a person makes on the account page."""


def test_each_step_of_the_tutorial_works(
    install: Callable[..., Installation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = install()
    installation.start_ingestion()
    installation.start("run_engine")
    installation.manage("shell", "--verbosity", "0", "-c", TOKEN.format(path=tmp_path / "token"))
    monkeypatch.setenv("ATLAS_TOKEN", (tmp_path / "token").read_text())
    monkeypatch.setenv("ATLAS_INGESTION_URL", installation.environment["ATLAS_INGESTION_URL"])
    monkeypatch.chdir(tmp_path)
    *steps, second_drive = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
    assert len(steps) == 3
    session: dict[str, object] = {}
    for step in steps:
        exec(step, session)
    send(installation, tmp_path)
    installation.wait_for(lambda: installation.rows(BENCHMARKS) == [(1, "done", 3)], "the first benchmark")
    exec(second_drive, session)
    both = [(1, "done", 3), (2, "done", 3)]
    installation.wait_for(lambda: installation.rows(BENCHMARKS) == both, "the second benchmark")
    session["ingestion"].close()  # type: ignore[attr-defined]


def send(installation: Installation, folder: Path) -> None:
    """Run the command that the tutorial sends the bundle with."""
    url, secret = f"http://127.0.0.1:{free_port()}", os.environ["ATLAS_TOKEN"]
    installation.start("runserver", url.removeprefix("http://"), "--noreload")
    installation.wait_for(lambda: answers(f"{url}/healthz"), "the dashboard")
    [command] = re.findall(r"^    \.venv/bin/atlas (push .*)$", TUTORIAL, re.MULTILINE)
    told = {"ATLAS_URL": url, "ATLAS_TOKEN": secret, "PYTHONPATH": str(ROOT)}
    atlas = f"{sys.executable} -c 'from atlas.cli import main; main()'"
    subprocess.run(f"{atlas} {command}", shell=True, cwd=folder, env=installation.environment | told, check=True)
