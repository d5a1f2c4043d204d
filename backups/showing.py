"""A progress bar on standard error, while that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from atlas.terminal import console


class Bar:
    """Shows what is done and how far it is; nothing if it is not wanted or nobody would see it."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._screen = console(stderr=True)
        self._hidden = quiet or not self._screen.is_terminal

    @contextmanager
    def step(self, what: str, total_bytes: int | None = None) -> Iterator[Callable[[int], None]]:
        """A block that is one step of the work; it tells how many more bytes are done, if their number is known."""
        told = TextColumn("{task.description}", markup=False)
        size = (BarColumn(), DownloadColumn(binary_units=True)) if total_bytes is not None else ()
        columns = (SpinnerColumn(), told, *size, TimeElapsedColumn())
        with Progress(*columns, console=self._screen, transient=True, disable=self._hidden) as progress:
            task = progress.add_task(what, total=total_bytes)
            yield lambda count: progress.advance(task, count)
