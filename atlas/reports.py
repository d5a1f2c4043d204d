"""How the `atlas` command shows what a server answers, and how far it has got."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from atlas.api import (
    BenchmarkSummary,
    Comparison,
    Identity,
    Leaderboard,
    LeaderboardRow,
    PairedTest,
    Score,
    UploadResult,
)
from atlas.states import State
from atlas.terminal import console, facts, printable, table

NOTHING = "\N{EN DASH}"


@contextmanager
def sending(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for a file, on standard error while that is a terminal; what it is told are bytes of bytes."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with _progress(*columns) as bar:
        task = bar.add_task(printable(name), total=None)
        yield lambda done, size: bar.update(task, completed=done, total=size or None)


@contextmanager
def waiting(model: str) -> Iterator[Callable[[list[BenchmarkSummary]], None]]:
    """A progress bar for the benchmarks of a model."""
    with _progress(TextColumn("{task.fields[standing]}", markup=False)) as bar:
        task = bar.add_task(printable(model), total=None, standing="not found yet")

        def told(benchmarks: list[BenchmarkSummary]) -> None:
            over = sum(each.state not in {State.QUEUED, State.RUNNING} for each in benchmarks)
            standing = f"{over} of {len(benchmarks)} benchmarks have ended" if benchmarks else "not found yet"
            bar.update(task, completed=over, total=len(benchmarks) or None, standing=standing)

        yield told


def _progress(
    *columns: TextColumn | BarColumn | DownloadColumn | TransferSpeedColumn | TimeRemainingColumn,
) -> Progress:
    shown = console(stderr=True)
    return Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal)


def show_identity(identity: Identity) -> None:
    """Print who a token belongs to."""
    expires = f"{identity.expires:%Y-%m-%d %H:%M %Z}" if identity.expires else "never"
    said = {
        "Name": identity.full_name or identity.name,
        "Role": identity.role.value,
        "Rights": ", ".join(identity.rights),
        "Token": identity.token,
        "Expires": expires if identity.token else "",
    }
    console().print(facts({name: value for name, value in said.items() if value}))


def show_upload(result: UploadResult) -> None:
    """Print what became of a bundle that was sent."""
    told = "was here already" if result.known else "sent"
    console().print(Text(f"{printable(result.model)}: {told}"), soft_wrap=True)


def show_benchmarks(benchmarks: Iterable[BenchmarkSummary]) -> None:
    """Print how benchmarks stand, one a line."""
    rows = (
        (str(each.id), each.model.name, _version(each), each.state.value, _score(each.score), each.reason)
        for each in benchmarks
    )
    console().print(table("Key", "Model", "Dataset", "State", "Score", "Reason", rows=rows))


def show_leaderboard(board: Leaderboard) -> None:
    """Print the models of a use case, the best first."""
    out = console()
    better = "higher" if board.greater_is_better else "lower"
    heading = f"{board.use_case} on {board.dataset.tag} v{board.dataset.number}, by {board.metric} ({better} is better)"
    out.print(Text(printable(heading), style="bold"), soft_wrap=True)
    rows = (
        (_rank(row), row.model.name, _number(row.value), _interval(row.low, row.high), _noise(row), row.author)
        for row in board.rows
    )
    out.print(table("Rank", "Model", board.metric, "95 % interval", "", "Author", rows=rows))


def _rank(row: LeaderboardRow) -> str:
    return f"{row.rank}{' (tied)' if row.tied else ''}"


def _noise(row: LeaderboardRow) -> str:
    return "within noise of the best" if row.within_noise and row.rank > 1 else ""


def show_comparison(comparison: Comparison) -> None:
    """Print benchmarks side by side: what the evidence says, then what differs."""
    out = console()
    for sentence in comparison.verdict:
        out.print(Text(printable(sentence)), soft_wrap=True)
    names = [f"{each.id}: {each.model.name} on {_version(each)}" for each in comparison.benchmarks]
    metrics = [(each.name, *map(_score, each.values)) for each in comparison.metrics]
    out.print(table("Metric", *names, rows=metrics))
    differing = [
        (f"{each.step} {each.name}".strip(), *(value or NOTHING for value in each.values))
        for each in comparison.hyperparameters
        if each.differs
    ]
    if differing:
        out.print(table("Hyperparameter", *names, rows=differing))
    if comparison.tests:
        rows = map(_test, comparison.tests)
        out.print(table("Test", "Metric", "Events", "Difference", "95 % interval", "p", rows=rows))


def _test(test: PairedTest) -> tuple[str, ...]:
    p = NOTHING if test.p_value is None else "< 0.001" if test.p_value < 0.001 else f"{test.p_value:.3f}"
    who = f"{test.test}, {test.second} against {test.first}"
    return who, test.metric, f"{test.events:,}", f"{test.difference:+.4g}", _interval(test.low, test.high), p


def _version(benchmark: BenchmarkSummary) -> str:
    return f"{benchmark.dataset.tag} v{benchmark.dataset.number}"


def _score(score: Score | None) -> str:
    return _number(score.value) if score else NOTHING


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4g}"


def _interval(low: float | None, high: float | None) -> str:
    return NOTHING if low is None or high is None else f"[{low:.4g}, {high:.4g}]"
