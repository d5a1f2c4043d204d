"""Plays a document as its reader would, in the current folder: `python -m tests.docs.play STEPS.json`.

All blocks of Python share one session, and all commands of the shell one environment. A command that serves goes on
beside the others until the document ends. The first step that does not do as it should ends it, with what it printed.
"""

import json
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 240.0
KEPT = Path(".environment")


class StepError(Exception):
    """A step did not do as it should."""


@dataclass(frozen=True)
class Step:
    """Something that a document has its reader do.

    Attributes:
        place: where it stands, for whoever has to mend it.
        language: `sh` or `python`.
        text: as written, with the stage's values in the place of the document's.
        says: what a command that serves prints once it does; empty for one that ends.
        refused: whether the document shows how Atlas refuses it.
    """

    place: str
    language: str
    text: str
    says: str = ""
    refused: bool = False


@dataclass
class Reader:
    """Somebody who has a document before them, a terminal and a session of Python."""

    session: dict[str, Any] = field(default_factory=dict)
    serving: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def follow(self, step: Step) -> None:
        """Do what a step says.

        Raises:
            StepError: it did not do as it should.
        """
        if step.language == "python":
            self._type(step)
        elif step.says:
            self._serve(step)
        else:
            _run(step)

    def close(self) -> None:
        """End what serves."""
        for process in self.serving:
            process.terminate()
        for process in self.serving:
            process.wait()

    def _type(self, step: Step) -> None:
        try:
            exec(compile(step.text, step.place, "exec"), self.session)
        except Exception as error:
            raise StepError(traceback.format_exc()) from error

    def _serve(self, step: Step) -> None:
        log = Path(f"serving-{len(self.serving)}.log")
        with log.open("wb") as output:
            command = ["setpriv", "--pdeathsig", "TERM", "bash", "-c", f"{_with_environment()} exec env {step.text}"]
            self.serving.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while step.says not in log.read_text():
            if self.serving[-1].poll() is not None or time.monotonic() > deadline:
                raise StepError(f"it never said {step.says!r}:\n{log.read_text()}")
            time.sleep(0.1)


def _run(step: Step) -> None:
    script = f"{_with_environment()} set -eu; {step.text}\ndeclare -px >{KEPT}"
    command = ["timeout", "--signal=KILL", str(PATIENCE_SECONDS), "bash", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode == -signal.SIGKILL:
        raise StepError("it goes on and on: if it serves, tests/docs/claims.py has to say what it prints once it does")
    if (done.returncode != 0) is not step.refused:
        raise StepError(f"exit status {done.returncode}\n{done.stdout}{done.stderr}")


def _with_environment() -> str:
    """Every variable that an earlier command set, exported or not, so that a later one has it as in one terminal."""
    return f"[ ! -e {KEPT} ] || . ./{KEPT}; set -a;"


def main() -> int:
    """The exit status."""
    reader = Reader()
    try:
        for step in (Step(**told) for told in json.loads(Path(sys.argv[1]).read_text())):
            try:
                reader.follow(step)
            except StepError as error:
                sys.stderr.write(f"{step.place}\n    {step.text}\n{error}\n")
                return 1
    finally:
        reader.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
