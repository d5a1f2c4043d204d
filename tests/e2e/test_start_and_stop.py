"""Every process fails at once where it cannot begin, and ends in good order where it is told to."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.installation import ROOT

pytestmark = pytest.mark.system

MANAGE = (sys.executable, "manage.py")
PROCESSES = {
    "dashboard": (sys.executable, "-m", "gunicorn", "--config", "python:atlas_web.gunicorn_config"),
    "ingestion": (*MANAGE, "run_ingestion", "--port", "0"),
    "engine": (*MANAGE, "run_engine"),
    "messenger": (*MANAGE, "send_alerts"),
    "training": (sys.executable, "-m", "training_engine", "config.yaml"),
}
WRONG = {
    "dashboard": ("ATLAS_WEB_WORKERS", "many"),
    "ingestion": ("ATLAS_DECODE_SECONDS", "-1"),
    "engine": ("ATLAS_WORKERS", "many"),
    "messenger": ("ATLAS_SMTP_URL", "ftp://mail"),
    "training": ("ATLAS_INGESTION_TOKEN_FILE", "/nowhere/token"),
}
Ended = dict[str, tuple[int, str]]
"""Exit status and output of each process."""


@pytest.fixture
def ended(tmp_path: Path) -> Callable[[dict[str, dict[str, str]]], Ended]:
    """Starts processes at the same time, each with variables of its own and a database without tables."""

    def start(variables: dict[str, dict[str, str]]) -> Ended:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ATLAS_", "DATABASE_"))}
        common = {"ATLAS_DATA_DIR": str(tmp_path), "ATLAS_WEB_ADDRESS": "127.0.0.1:0"}
        running = {
            name: subprocess.Popen(
                PROCESSES[name],
                cwd=ROOT,
                env=inherited | common | own,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for name, own in variables.items()
        }
        outputs = {name: process.communicate(timeout=200)[0] for name, process in running.items()}
        return {name: (process.returncode, outputs[name]) for name, process in running.items()}

    return start


def test_a_wrong_setting_ends_each_process_with_the_line_that_names_it(ended: Callable[..., Ended]) -> None:
    for name, (status, output) in ended({name: dict([wrong]) for name, wrong in WRONG.items()}).items():
        assert status != 0, name
        assert sum(WRONG[name][0] in line for line in output.splitlines()) == 1, output
        assert "Traceback" not in output, output


def test_without_tables_no_process_begins(ended: Callable[..., Ended]) -> None:
    for name, (status, output) in ended({name: {} for name in PROCESSES if name != "training"}).items():
        assert status != 0, name
        assert "run manage.py prepare" in output, output
        assert "Traceback" not in output, output
