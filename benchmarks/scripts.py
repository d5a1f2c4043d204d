"""Scripts that are measured beside the engine: each a fresh process that imports first and works when it is told to."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Self, cast

from benchmark_engine.sandbox.compat import THREAD_VARIABLES

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = dict.fromkeys(THREAD_VARIABLES, "1")


class ScriptError(Exception):
    """A script that is measured failed; the message is what it wrote."""


class Script:
    """A process that says `ready`, waits for a line, works, and says how many seconds that took."""

    def __init__(self, *arguments: str, python: Path | str = sys.executable, one_thread: bool = True) -> None:
        """Start it and wait until it is ready; by default it computes in one thread."""
        inherited = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(python), *arguments],
            cwd=ROOT,
            env=inherited | (ONE_THREAD if one_thread else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stdin, self._stdout = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        self._hear("ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def go(self) -> None:
        """Have it begin."""
        self._stdin.write("go\n")
        self._stdin.flush()

    def seconds(self) -> float:
        """How long the work took, once it is done."""
        return float(self._hear("seconds").split()[1])

    def _hear(self, word: str) -> str:
        """The next line that begins with a word; libraries may write others."""
        for line in self._stdout:
            if line.startswith(word):
                return line
        self._process.communicate()
        raise ScriptError(f"{self._process.args!r} ended with {self._process.returncode} before it was done.")


def bare(folder: Path, *options: str, one_thread: bool = True) -> Script:
    """The bare script over a subject's files, ready to go."""
    return Script("-m", "benchmarks.bare", str(folder), *options, one_thread=one_thread)
