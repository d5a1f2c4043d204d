"""A virtual environment of mlflow's own, as it and Atlas cannot agree on the versions of what both need."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

from benchmarks.scripts import Script
from benchmarks.subjects import TARGET, Prepared


class NotInstallableError(Exception):
    """mlflow cannot be installed here; the message is what pip said last."""


def python(folder: Path) -> Path:
    """The Python of an environment with mlflow, which is made if it is not there.

    Raises:
        NotInstallableError: it cannot be made.
    """
    interpreter = folder / "bin" / "python"
    complete = folder / "complete"
    if complete.exists():
        return interpreter
    _run(sys.executable, "-m", "venv", "--clear", str(folder))
    same = f"scikit-learn=={metadata.version('scikit-learn')}"
    _run(str(interpreter), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "mlflow>=3", same)
    complete.touch()
    return interpreter


def evaluation(interpreter: Path, prepared: Prepared, scratch: Path) -> Script:
    """A script that evaluates a subject's model by mlflow, ready to go; it keeps its files in a new folder."""
    scratch.mkdir()
    given = (prepared.model.resolve(), prepared.data.resolve(), TARGET, "id", scratch)
    return Script("-m", "benchmarks.evaluate_with_mlflow", *map(str, given), python=interpreter)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstallableError((done.stderr.strip() or done.stdout.strip()).splitlines()[-1])
