"""What a person sees of a training: a bar that moves on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from training_engine.stages import Progress, Stage


class Screen:
    """Prints to a stream; what files and servers say is never taken for markup."""

    def __init__(self, output: TextIO | None = None) -> None:
        stream = output or sys.stdout
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def done(self, text: str) -> None:
        """Something has succeeded."""
        self._console.print(Text.assemble(("✓ ", "green"), text))

    def failed(self, text: str) -> None:
        """Something has failed."""
        self._console.print(Text.assemble(("✗ ", "red"), text))

    def say(self, text: str) -> None:
        """Something is so."""
        self._console.print(Text(text))

    @contextmanager
    def training(self, name: str) -> Iterator[Progress]:
        """Shows how far the training of a model is while the block runs."""
        if not self._console.is_terminal:
            yield _Lines(self, name).show
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Bars(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(name, total=None)

            def show(stage: Stage, done: int, total: int) -> None:
                bars.update(task, description=f"{name}: {stage}", completed=done, total=total or None)

            yield show


class _Lines:
    """One line for each stage, when it begins."""

    def __init__(self, screen: Screen, name: str) -> None:
        self._screen, self._name = screen, name
        self._stage: Stage | None = None

    def show(self, stage: Stage, done: int, total: int) -> None:  # noqa: ARG002 - a progress
        """Tell the stage, if it is a new one."""
        if stage is not self._stage:
            self._stage = stage
            self._screen.say(f"{self._name}: {stage}")
