"""`atlas recording` and `atlas dataset`: recordings to the ingestion engine, dataset versions from it.

The engine is the one that `ATLAS_INGESTION_URL` names.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atlas.options import AsJson
from atlas.vocabulary import Format, Split

if TYPE_CHECKING:
    from pydantic import BaseModel

    from atlas.datasets import DatasetVersion, TagDescription
    from atlas.ingestion import IngestionClient, RecordingDescription, RecordingSettings

recordings = typer.Typer(no_args_is_help=True, help="Send recordings to the ingestion engine, and list them.")
datasets = typer.Typer(no_args_is_help=True, help="List the datasets of the ingestion engine, and fetch them.")


def _option(name: str, text: str, metavar: str = "TEXT") -> Any:
    return typer.Option(name, help=text, metavar=metavar, show_default=False)


@recordings.command()
def send(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Bags, sounds or tables.")],
    name: Annotated[str | None, _option("--name", "Of the recording; else the file's, without its ending.")] = None,
    labels: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="CSV or JSON with labels.")] = None,
    start: Annotated[
        str | None, _option("--start", "When it began, if the file does not say; UTC if it names no zone.", "TIME")
    ] = None,
    car: Annotated[str | None, _option("--car", "Of all events whose label names none.")] = None,
    environment: Annotated[str | None, _option("--environment", "Of all events whose label names none.")] = None,
    before: Annotated[float, _option("--before", "How much comes before each label.", "SECONDS")] = 0.0,
    after: Annotated[float, _option("--after", "How much follows each label.", "SECONDS")] = 0.0,
    window: Annotated[float | None, _option("--window", "Cut into windows of this length.", "SECONDS")] = None,
    step: Annotated[float | None, _option("--step", "From one window to the next; else its length.", "SECONDS")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the events are there.")] = False,
    timeout: Annotated[float, typer.Option(help="How many seconds to wait at most, for each file.")] = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Send recordings. One that broke off goes on where it stopped; one that the engine has is not sent again.

    Exit status 1 if one of them is refused or, with --wait, cannot be decoded.
    """
    if len(files) > 1 and (name or labels):
        raise typer.BadParameter("--name and --labels are of one file; send the others by themselves")
    settings = _settings(
        start=start,
        car=car,
        environment=environment,
        before_seconds=before,
        after_seconds=after,
        window_seconds=window,
        step_seconds=step,
    )
    with _engine() as client:
        sent = [_send(client, path, name, settings) for path in files]
        if labels:
            client.send_labels(sent[0].name, labels)
        if wait:
            sent = [client.wait(each.name, timeout_seconds=timeout) for each in sent]
    _tell(sent, "recordings", _recording_rows(sent), as_json=as_json)


@recordings.command(name="labels")
def send_labels(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the recording.", show_default=False)],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or JSON with labels.")],
    as_json: AsJson = False,
) -> None:
    """Label a recording's events by a file. Labels of a recording that is not there yet wait for it."""
    with _engine() as client:
        receipt = client.send_labels(name, file)
    counts = [(receipt.recording, *map(str, (receipt.labels, receipt.added, receipt.changed)), _yes(receipt.waiting))]
    _tell([receipt], "labels", [("Recording", "Labels", "Added", "Changed", "Waiting"), *counts], as_json=as_json)


@recordings.command(name="list")
def list_recordings(as_json: AsJson = False) -> None:
    """List recordings, newest first."""
    with _engine() as client:
        found = list(client.recordings())
    _tell(found, "recordings", _recording_rows(found), as_json=as_json)


@datasets.command(name="list")
def list_datasets(as_json: AsJson = False) -> None:
    """List tags with their newest versions."""
    with _engine() as client:
        found = client.tags()
    _tell(found, "tags", _tag_rows(found), as_json=as_json)


@datasets.command()
def download(
    tag: Annotated[str, typer.Argument(metavar="TAG", help="The name of a dataset.", show_default=False)],
    version: Annotated[int | None, _option("--version", "Else the newest.", "NUMBER")] = None,
    split: Annotated[Split | None, typer.Option(help="Else both.", show_default=False)] = None,
    form: Annotated[Format, typer.Option("--format", help="What files are written in.")] = Format.ARROW,
    columns: Annotated[
        list[str] | None, _option("--columns", "Only these; repeatable, or with commas between them.", "NAMES")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="The folder to write to.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Fetch the files of a dataset version; each is verified, and whole or not there at all."""
    from atlas.reports import sending

    output.mkdir(parents=True, exist_ok=True)
    wanted = [each.strip() for given in columns or () for each in given.split(",") if each.strip()]
    paths = []
    with _engine() as client:
        dataset = client.dataset(_version(client.tag(tag), version).query_id)
        for part in [split] if split else list(Split):
            path = output / f"{dataset.query_id}-{part}.{form}"
            with sending(path.name) as progress:
                client.download(dataset, part, path, form=form, columns=wanted, progress=progress)
            paths.append(path)
            if not as_json:
                typer.echo(path)
    if as_json:
        files = [{"file": str(path), "size_bytes": path.stat().st_size} for path in paths]
        typer.echo(json.dumps({"query_id": dataset.query_id, "files": files}, indent=2))


@contextmanager
def _engine() -> "Iterator[IngestionClient]":
    from atlas.ingestion import IngestionClient

    with IngestionClient.from_environment() as client:
        yield client


def _settings(**given: Any) -> "RecordingSettings":
    """The settings; a start without a zone is taken as UTC."""
    from pydantic import ValidationError

    from atlas.ingestion import RecordingSettings

    try:
        settings = RecordingSettings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).removesuffix("_seconds")
        raise typer.BadParameter(f"--{option}: {first['msg']}") from error
    if settings.start and not settings.start.tzinfo:
        settings = settings.model_copy(update={"start": settings.start.replace(tzinfo=UTC)})
    return settings


def _send(
    client: "IngestionClient", path: Path, name: str | None, settings: "RecordingSettings"
) -> "RecordingDescription":
    from atlas.reports import sending

    with sending(path.name) as progress:
        return client.send_recording(path, name=name, settings=settings, progress=progress)


def _version(tag: "TagDescription", number: int | None) -> "DatasetVersion":
    from atlas.errors import DatasetError

    found = [each for each in tag.versions if number in (None, each.number)]
    if not found:
        known = ", ".join(str(each.number) for each in tag.versions) or "none yet"
        raise DatasetError(f"The dataset {tag.name} has no version {number or ''}; its versions: {known}.")
    return found[-1]


def _recording_rows(found: "Iterable[RecordingDescription]") -> list[tuple[str, ...]]:
    from rich.filesize import decimal

    rows = [
        (each.name, each.state.value, str(each.events), decimal(each.size_bytes), _problems(each)) for each in found
    ]
    return [("Recording", "State", "Events", "Size", "Problem"), *rows]


def _problems(recording: "RecordingDescription") -> str:
    return " ".join([recording.problem, *(f"Lost: {loss}" for loss in recording.losses)]).strip()


def _tag_rows(found: "Iterable[TagDescription]") -> list[tuple[str, ...]]:
    rows = []
    for tag in found:
        newest = (str(tag.versions[-1].number), str(tag.versions[-1].rows)) if tag.versions else ("", "")
        rows.append((tag.name, *newest, tag.query))
    return [("Dataset", "Version", "Rows", "Query"), *rows]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _tell(found: "Iterable[BaseModel]", what: str, rows: list[tuple[str, ...]], *, as_json: bool) -> None:
    """Print documents as JSON, or a table with its headings first."""
    from atlas.terminal import console, table

    if as_json:
        typer.echo(json.dumps({what: [each.model_dump(mode="json") for each in found]}, indent=2))
    else:
        console().print(table(*rows[0], rows=rows[1:]))
