"""`atlas bag`: look into bags of ROS 1 and 2, salvage damaged ones, export what they hold, without ROS."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atlas.options import AsJson
from atlas.plugins import BagCommands
from bags.export import Format

if TYPE_CHECKING:
    from bags.archive import Archive
    from bags.salvage import Salvaged
    from bags.summary import BagSummary

app = typer.Typer(
    cls=BagCommands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)

_STEPS = 500  # of a progress bar: more are not seen, and would slow down what they show
Bag = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .bag, .bag.active, .mcap or .db3 file.")]
Recording = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A bag, sound, or table of samples.")]


@app.command()
def info(file: Bag, as_json: AsJson = False) -> None:
    """Show what a bag holds, and what of it is damaged. Its index is not needed."""
    from bags.summary import summarize

    with _bar(f"Reading {file.name}") as progress:
        found = summarize(file, progress=progress)
    if as_json:
        _print_json({"file": str(file), **_document(found)})
    else:
        _show(file, found)


@app.command()
def salvage(
    file: Bag,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The new bag; else beside the old one.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write every intact message of a damaged bag into a whole one of the same kind. The damaged one stays as it is.

    Works on what a killed recorder left (.bag.active), on files that were cut off, and on those with damaged parts
    within. No file is overwritten.
    """
    from bags.salvage import salvage as write

    with _bar(f"Salvaging {file.name}") as progress:
        done = write(file, output, progress=progress)
    if as_json:
        _print_json({"bag": str(done.path), "messages": done.messages, "losses": done.losses})
    else:
        _tell_salvaged(done)


@app.command()
def export(
    file: Recording,
    file_format: Annotated[
        Format, typer.Option("--format", help="Tables of all channels, or the sound.", show_default=False)
    ],
    channels: Annotated[
        str | None,
        typer.Option(help="Names with commas between; else all that the format holds.", show_default=False),
    ] = None,
    start: Annotated[float, typer.Option(metavar="SECONDS", help="From here on, since the recording began.")] = 0.0,
    end: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Until here; else to its end.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Where to write; else a folder of FILE's name.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what a recording holds for other programs: a table for each topic, or a sound file for each sound topic."""
    from bags.export import export as write

    folder = output or Path(file.name.partition(".")[0])
    names = None if channels is None else [name.strip() for name in channels.split(",") if name.strip()]
    with _decoded(file) as found:
        until = found.duration_seconds + 1.0 if end is None else end
        with _bar(f"Writing {folder}") as progress:
            files = write(found, names, start, until, file_format, folder, progress=progress)
    paths = [str(folder / name) for name in files]
    if as_json:
        _print_json({"files": paths, "losses": list(found.losses)})
    else:
        typer.echo("\n".join(paths))
        _warn(found.losses)


@contextmanager
def _decoded(file: Path) -> "Iterator[Archive]":
    """The recording as an archive in a folder that lasts as long as it is needed."""
    from bags import archive, read

    with tempfile.TemporaryDirectory(prefix="atlas-bag-") as name:
        folder, samples = Path(name) / "archive", Path(name) / "samples"
        folder.mkdir()
        samples.mkdir()
        with _bar(f"Reading {file.name}"):
            archive.write(read(file, samples), folder)
        yield archive.in_folder(folder)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error while that is a terminal; it is told how much is done, of how much."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from atlas.terminal import console, printable

    screen, told = console(stderr=True), -1
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(printable(name), total=None)

        def tell(done: int, total: int) -> None:
            nonlocal told
            step = done * _STEPS // max(total, 1)
            if step != told:
                told = step
                bar.update(task, completed=done, total=total)

        yield tell


def _document(found: "BagSummary") -> dict[str, Any]:
    return {
        "format": found.bag_format.title,
        "size_bytes": found.size_bytes,
        "start": _date(found.start_ns),
        "duration_seconds": found.duration_seconds,
        "topics": [
            {
                "name": topic.name,
                "type": topic.type_name,
                "messages": topic.messages,
                "rate_hz": topic.rate_hz,
                "channels": [
                    {"name": each.name, "unit": each.unit, "rate_hz": each.rate_hz} for each in topic.channels
                ],
            }
            for topic in found.topics
        ],
        "losses": found.losses,
    }


def _show(file: Path, found: "BagSummary") -> None:
    from rich.filesize import decimal
    from rich.text import Text

    from atlas.terminal import console, facts, printable, table

    out = console()
    out.print(Text(printable(file.name), style="bold"))
    said = {
        "Format": found.bag_format.title,
        "Size": decimal(found.size_bytes),
        "Recorded": _date(found.start_ns) if found.topics else "",
        "Lasts": f"{found.duration_seconds:,.3f} s",
    }
    out.print(facts({name: value for name, value in said.items() if value}))
    topics = ((each.name, each.type_name, f"{each.messages:,}", _rate(each.rate_hz)) for each in found.topics)
    out.print(table("Topic", "Type", "Messages", "Rate", rows=topics))
    channels = ((each.name, each.unit, _rate(each.rate_hz)) for topic in found.topics for each in topic.channels)
    out.print(table("Channel", "Unit", "Rate", rows=channels))
    for loss in found.losses:
        out.print(Text(printable(f"Damaged: {loss}"), style="yellow"), soft_wrap=True)


def _tell_salvaged(done: "Salvaged") -> None:
    from atlas.terminal import console, table

    typer.echo(done.path)
    console().print(table("Topic", "Messages", rows=((name, f"{count:,}") for name, count in done.messages.items())))
    _warn(done.losses)


def _warn(losses: tuple[str, ...]) -> None:
    from atlas.terminal import say

    for loss in losses:
        say("lost", loss, "yellow")


def _rate(rate_hz: float | None) -> str:
    return "" if rate_hz is None else f"{rate_hz:,.4g} Hz" if rate_hz < 1000 else f"{rate_hz:,.0f} Hz"


def _date(time_ns: int) -> str:
    """As ISO 8601, to the millisecond; clocks beyond the year 9999 are wrong, and shown as the last one."""
    seconds = min(time_ns / 1e9, 253402300799.0)
    return datetime.fromtimestamp(max(seconds, 0.0), UTC).isoformat(timespec="milliseconds")


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
