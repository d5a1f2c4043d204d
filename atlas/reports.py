"""How the `atlas` command shows what a server answers, and how far it has got."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby

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
    AlertSummary,
    BenchmarkSummary,
    Comparison,
    GateReport,
    Identity,
    Leaderboard,
    LeaderboardRow,
    PairedTest,
    Score,
    StageEntry,
    UploadResult,
)
from atlas.states import State
from atlas.terminal import INTERVAL, console, facts, printable, table

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
        task = bar.add_task(printable(model), total=None, standing=printable(model))

        def told(benchmarks: list[BenchmarkSummary]) -> None:
            over = sum(each.state not in {State.QUEUED, State.RUNNING} for each in benchmarks)
            standing = f"{over} of {len(benchmarks)} benchmarks have ended" if benchmarks else "no benchmark yet"
            shown = f"{printable(model)}: {standing}"
            bar.update(task, completed=over, total=len(benchmarks) or None, standing=shown)

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


def show_alerts(alerts: Iterable[AlertSummary]) -> None:
    """Print alerts, one a line."""
    rows = [
        (str(each.id), each.state.value, f"{each.opened:%Y-%m-%d %H:%M %Z}", each.text, _known(each)) for each in alerts
    ]
    out = console()
    if rows:
        out.print(table("Key", "State", "Since", "Alert", "Acknowledged", rows=rows))
    else:
        out.print(Text("No alert is open."))


def _known(alert: AlertSummary) -> str:
    """Who knows of an alert, and what they say of it."""
    return f"{alert.acknowledged_by}: {alert.note}" if alert.note else alert.acknowledged_by


def show_leaderboard(board: Leaderboard) -> None:
    """Print the models of a use case, the best first."""
    out = console()
    better = "higher" if board.greater_is_better else "lower"
    heading = f"{board.use_case} on {board.dataset.tag} v{board.dataset.number}, by {board.metric} ({better} is better)"
    out.print(Text(printable(heading), style="bold"), soft_wrap=True)
    if not board.rows:
        out.print(Text(f"No model has a value of {printable(board.metric)} there."), soft_wrap=True)
        return
    rows = (
        (_rank(row), row.model.name, _number(row.value), _interval(row.low, row.high), row.author) for row in board.rows
    )
    out.print(table("Rank", "Model", board.metric, INTERVAL, "Author", rows=rows))
    if any(map(_is_as_good, board.rows)):
        out.print(Text("* within noise of the best"))


def _rank(row: LeaderboardRow) -> str:
    return f"{row.rank}{' (tied)' if row.tied else ''}{' *' if _is_as_good(row) else ''}"


def _is_as_good(row: LeaderboardRow) -> bool:
    """Whether nothing shows a model that is not the best to be worse than the best."""
    return row.rank > 1 and row.within_noise is True


def show_comparison(comparison: Comparison) -> None:
    """Print benchmarks side by side: what the evidence says, then what differs."""
    out = console()
    for sentence in comparison.verdict:
        out.print(Text(printable(" ".join(sentence.split()))), soft_wrap=True)  # narrow spaces become plain ones
    marks = {each.id: chr(ord("A") + place) for place, each in enumerate(comparison.benchmarks)}
    chosen = [(marks[each.id], str(each.id), each.model.name, _version(each)) for each in comparison.benchmarks]
    out.print(table("", "Key", "Model", "Dataset", rows=chosen))
    metrics = [(each.name, *map(_score, each.values)) for each in comparison.metrics]
    out.print(table("Metric", *marks.values(), rows=metrics))
    differing = [
        (f"{each.step} {each.name}".strip(), *(value or NOTHING for value in each.values))
        for each in comparison.hyperparameters
        if each.differs
    ]
    if differing:
        out.print(table("Hyperparameter", *marks.values(), rows=differing))
    for what, tests in groupby(comparison.tests, lambda test: (test.first, test.second, test.test, test.events)):
        first, second, name, events = what
        heading = f"{marks[second]} against {marks[first]}: {name}, {events:,} events"
        out.print(Text(printable(heading), style="bold"), soft_wrap=True)
        out.print(table("Metric", "Difference", INTERVAL, "p", rows=map(_test, tests)))


def _test(test: PairedTest) -> tuple[str, ...]:
    p = NOTHING if test.p_value is None else "< 0.001" if test.p_value < 0.001 else f"{test.p_value:.3f}"
    return test.metric, f"{test.difference:+.4g}", _interval(test.low, test.high), p


def _version(benchmark: BenchmarkSummary) -> str:
    return f"{benchmark.dataset.tag} v{benchmark.dataset.number}"


def _score(score: Score | None) -> str:
    return _number(score.value) if score else NOTHING


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4g}"


def _interval(low: float | None, high: float | None) -> str:
    return NOTHING if low is None or high is None else f"[{low:.4g}, {high:.4g}]"


def show_gate(report: GateReport) -> None:
    """Print a line for each check of a gate, and one that sums them up."""
    out = console()
    for check in report.checks:
        outcome = ("passed", "green") if check.passed else ("failed", "bold red")
        out.print(Text.assemble(outcome, f"  {printable(check.sentence)}"), soft_wrap=True)
    out.print(Text(printable(f"{report.model.name}, {report.use_case}: {report.sentence}")), soft_wrap=True)


def show_stage(change: StageEntry) -> None:
    """Print where a model was moved."""
    console().print(Text(printable(f"{change.name} is now {change.after} of {change.use_case}.")), soft_wrap=True)
