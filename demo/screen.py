"""What the demo shows: steps in plain words, progress bars, and the table at the end."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from atlas.metrics import metric
from demo.ranking import Score, Winner

DONE = "[green]✓[/]"
WRONG = "[red]✗[/]"


class Bar:
    """A progress bar. `outcome` is the line that stays at its end, `mark` what stands before it."""

    def __init__(self, progress: Progress, task: TaskID, outcome: str) -> None:
        self._progress = progress
        self._task = task
        self.outcome = outcome
        self.mark = DONE

    def show(self, completed: int, detail: str = "") -> None:
        """Set how much is done, and what happens now."""
        self._progress.update(self._task, completed=completed, detail=detail)


class Screen:
    """The terminal. Steps that end are lines that stay; what happens meanwhile is shown only while it does."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._quiet = not self._console.is_terminal  # a log file has no use for what moves

    def say(self, text: str = "") -> None:
        """One line, with markup."""
        self._console.print(text, soft_wrap=True)

    def title(self, text: str, explanation: str) -> None:
        """Open the story."""
        self._console.print(Panel.fit(f"[bold]{text}[/]\n{explanation}", border_style="blue", padding=(0, 2)))

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[None]:
        """Show what is being done, then that it is, and how long it took."""
        started = time.monotonic()
        with self._console.status(doing) if not self._quiet else nullcontext():
            yield
        self._finish(DONE, done, started)

    @contextmanager
    def bar(self, doing: str, done: str, total: int) -> Iterator[Bar]:
        """The same with a progress bar."""
        started = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", style="dim"),
        )
        with Progress(*columns, console=self._console, transient=True, disable=self._quiet) as progress:
            bar = Bar(progress, progress.add_task(doing, total=total, detail=""), done)
            yield bar
        self._finish(bar.mark, bar.outcome, started)

    def _finish(self, mark: str, text: str, started: float) -> None:
        self.say(f"{mark} {text} [dim]({time.monotonic() - started:.0f} s)[/]")

    def done(self, text: str) -> None:
        """A line about something that is as it should be."""
        self.say(f"{DONE} {text}")

    def wrong(self, text: str) -> None:
        """A line about something that did not work."""
        self.say(f"{WRONG} {escape(text)}")

    def winners(self, winners: Sequence[Winner]) -> None:
        """The best model of each dataset."""
        title = "\nThe best model for each dataset"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for heading in ("Dataset", "Best model", "Metric"):
            table.add_column(heading, no_wrap=heading != "Metric")
        for heading in ("Value", "On v1", "Change"):
            table.add_column(heading, justify="right", no_wrap=True)
        for winner in winners:
            best = winner.best
            measured = (metric(best.metric).title, f"{best.value:.4g}", *_before(best, winner.first))
            table.add_row(f"{best.tag} v{best.version}", _family(best.model), *measured)
        self._console.print(table)

    def address(self, url: str, user: str, password: str) -> None:
        """Where to look, and as whom."""
        text = f"Dashboard  [bold]{url}[/]\nUser       [bold]{user}[/]\nPassword   [bold]{escape(password)}[/]"
        self._console.print(Panel.fit(text, border_style="green", padding=(0, 2)))


def _family(name: str) -> str:
    """A bundle's name without its version and the time of its training."""
    return name.rsplit("-", 2)[0]


def _before(best: Score, first: Score | None) -> tuple[str, str]:
    """The model's value on the oldest version, and the change since, without a verdict: it may be noise."""
    if first is None:
        return "-", "-"
    return f"{first.value:.4g}", f"{best.value - first.value:+.2g}"
