"""How the `atlas` command shows things: made for people on a terminal, whole and without colours in a pipe."""

from collections.abc import Iterable
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from atlas.manifest import Manifest
from atlas.metrics import Metric
from atlas.validation import Check, Outcome, Report
from atlas.vocabulary import Task

PIPE_WIDTH = 10_000
"""Columns of an output that is no terminal: no line of a table is folded."""
INTERVAL = "95 % interval"
"""The heading of a column of intervals."""
STYLES = {Outcome.OK: "green", Outcome.WARNING: "yellow", Outcome.FAILED: "bold red"}


def console(*, stderr: bool = False) -> Console:
    """A console that takes texts as they are: what a bundle says of itself never becomes markup."""
    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = PIPE_WIDTH
    return made


def printable(text: str) -> str:
    """The text with control characters escaped: a bundle's texts must not steer the terminal."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def say(kind: str, message: str, style: str) -> None:
    """Print one line on standard error, such as `error: …`."""
    line = printable(" ".join(message.split()))
    console(stderr=True).print(Text.assemble((f"{kind}: ", style), line), soft_wrap=True)


def show_manifest(manifest: Manifest) -> None:
    """Print what a bundle says of its model."""
    out = console()
    out.print(Text(printable(manifest.name), style="bold"))
    out.print(facts(_identity(manifest)))
    out.print(table("Input column", "Type", rows=((c.name, c.dtype) for c in manifest.input_schema)))
    if manifest.hyperparameters:
        values = ((name, str(value)) for name, value in manifest.hyperparameters.items())
        out.print(table("Hyperparameter", "Value", rows=values))
    members = ((name, decimal(m.size_bytes), m.sha256) for name, m in manifest.members.items())
    out.print(table("Member", "Size", "sha256", rows=members))


def _identity(manifest: Manifest) -> dict[str, str]:
    said = {
        "Use case": manifest.use_case,
        "Version": manifest.version,
        "Author": f"{manifest.author.name} <{manifest.author.email}>",
        "Task": manifest.task.value,
        "Target": manifest.target,
        "Classes": ", ".join(map(str, manifest.classes)),
        "Dataset tags": ", ".join(manifest.tags),
        "Metrics": ", ".join(_metric(manifest, name) for name in manifest.metrics),
        "Packed": f"{manifest.created:%Y-%m-%d %H:%M %Z}",
        "Framework": f"{manifest.framework.name} {manifest.framework.version}, Python {manifest.python}",
        "Libraries": ", ".join(f"{name} {version}" for name, version in manifest.libraries.items()),
        "Trained": _training(manifest),
        "Recorded": _window(manifest),
        "Limits": _limits(manifest),
    }
    return {name: value for name, value in said.items() if value}


def _metric(manifest: Manifest, name: str) -> str:
    remarks = ["primary"] if name == manifest.primary_metric else []
    remarks += [f"own: {own.function}" for own in manifest.custom_metrics if own.name == name]
    return f"{name} ({', '.join(remarks)})" if remarks else name


def _training(manifest: Manifest) -> str:
    record = manifest.training
    if record is None:
        return ""
    return (
        f"{record.date:%Y-%m-%d %H:%M %Z} on {record.rows:,} rows of {record.query_id}, "
        f"in {record.duration_seconds:,.1f} s"
    )


def _window(manifest: Manifest) -> str:
    window = manifest.data_window
    return f"{window.start:%Y-%m-%d %H:%M %Z} to {window.end:%Y-%m-%d %H:%M %Z}" if window else ""


def _limits(manifest: Manifest) -> str:
    asked = manifest.limits.model_dump(exclude_none=True) if manifest.limits else {}
    return ", ".join(f"{name} {value:,g}" for name, value in asked.items())


def show_report(report: Report) -> None:
    """Print every check of a bundle on a line of its own."""
    out = console()
    out.print(Text(printable(report.file), style="bold"), soft_wrap=True)
    lines = Table.grid(padding=(0, 2, 0, 0))
    for check in report.checks:
        lines.add_row(f"  {check.name}", Text(check.outcome, STYLES[check.outcome]), _cell(_one_line(check)))
    out.print(lines)


def _one_line(check: Check) -> str:
    return " ".join(check.detail.split())


def show_metrics(metrics: Iterable[Metric]) -> None:
    """Print the metric registry, or some of it."""
    rows = ((m.name, "higher" if m.greater_is_better else "lower", _tasks(m), m.needs, m.description) for m in metrics)
    console().print(table("Metric", "Better", "Tasks", "Needs", "What it says", rows=rows))


def _tasks(metric: Metric) -> str:
    return ", ".join(task for task in Task if task in metric.tasks)


def facts(said: dict[str, str]) -> Table:
    """A line for each fact: its name, and what it is."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in said.items():
        grid.add_row(name, _cell(value))
    return grid


def table(*headings: str, rows: Iterable[tuple[str, ...]]) -> Table:
    """A table; of a column whose heading is Size, the values stand at the right, and no interval is broken."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        justify: Literal["left", "right"] = "right" if heading == "Size" else "left"
        made.add_column(heading, overflow="fold", justify=justify, no_wrap=heading == INTERVAL)
    for row in rows:
        made.add_row(*map(_cell, row))
    return made


def _cell(text: str) -> Text:
    return Text(printable(text), overflow="fold")
