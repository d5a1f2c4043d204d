"""The commands of `atlas` that speak to a server: send models, wait for benchmarks, rank, compare, fetch, run again,
promote.

The server is the one that `ATLAS_URL` names; `ATLAS_TOKEN` is a token that was made on its account page.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from atlas.options import EXIT_STATUS, AsJson
from atlas.states import State
from atlas.watching import AlertState, Stage

Model = Annotated[str, typer.Argument(metavar="MODEL", help="The name of a model.", show_default=False)]


def _narrowed(name: str, text: str, metavar: str = "TEXT") -> Any:
    return typer.Option(name, help=text, metavar=metavar, show_default=False)


def whoami(as_json: AsJson = False) -> None:
    """Show who the token belongs to, and what it may do."""
    from atlas.client import AtlasClient
    from atlas.reports import show_identity

    with AtlasClient.from_environment() as client:
        _tell(client.whoami(), show_identity, as_json=as_json)


def push(
    bundles: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Files that `atlas pack` wrote.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all benchmarks of the models have ended.")] = False,
    timeout: Annotated[float, typer.Option(help="How many seconds to wait at most, for each model.")] = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Send bundles. One that broke off goes on where it stopped; one that Atlas has is not sent again."""
    from atlas.bundle import inspect
    from atlas.client import AtlasClient
    from atlas.reports import sending, show_upload

    for bundle in bundles:
        inspect(bundle)  # nothing is sent if one of them is not sound
    with AtlasClient.from_environment() as client:
        sent = []
        for bundle in bundles:
            with sending(bundle.name) as progress:
                sent.append(client.push(bundle, progress=progress))
            if not as_json:
                show_upload(sent[-1])
        if wait:
            _wait_for(client, [result.model for result in sent], timeout, as_json=as_json)
        elif as_json:
            _print_json({"models": [result.model_dump(mode="json") for result in sent]})


def wait(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Names of models.", show_default=False)],
    timeout: Annotated[float, typer.Option(help="How many seconds to wait at most, for each model.")] = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Wait until all benchmarks of models have ended. Exit status 1 if one of them gave no result."""
    from atlas.client import AtlasClient

    with AtlasClient.from_environment() as client:
        _wait_for(client, models, timeout, as_json=as_json)


def _wait_for(client: Any, models: Sequence[str], timeout: float, *, as_json: bool) -> None:
    from atlas.reports import show_benchmarks, waiting

    ended = []
    for model in models:
        with waiting(model) as progress:
            ended += client.wait(model, timeout_seconds=timeout, progress=progress)
    if as_json:
        _print_json({"benchmarks": [each.model_dump(mode="json") for each in ended]})
    else:
        show_benchmarks(ended)
    if any(each.state is not State.DONE for each in ended):
        raise typer.Exit(1)


def leaderboard(
    use_case: Annotated[str | None, typer.Argument(help="Such as 'damage detector'.", show_default=False)] = None,
    tag: Annotated[str | None, _narrowed("--tag", "Of the dataset; else the only one, or the one used last.")] = None,
    version: Annotated[int | None, _narrowed("--version", "Of the dataset; else the newest.", "NUMBER")] = None,
    metric: Annotated[str | None, _narrowed("--metric", "What ranks; else the primary metric.", "METRIC")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the models of a use case on one dataset version, the best first."""
    from atlas.client import AtlasClient
    from atlas.reports import show_leaderboard

    asked = {"use_case": use_case, "tag": tag, "version": version, "metric": metric}
    with AtlasClient.from_environment() as client:
        board = client.leaderboard(**{name: str(value) for name, value in asked.items() if value is not None})
    _tell(board, show_leaderboard, as_json=as_json)


def compare(
    chosen: Annotated[
        list[str],
        typer.Argument(metavar="WHAT WHAT...", help="Keys of benchmarks, or names of models.", show_default=False),
    ],
    tag: Annotated[str | None, _narrowed("--tag", "Of the dataset that models are compared on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare benchmarks, or models on the newest dataset version that all of them were measured on."""
    from atlas.client import AtlasClient
    from atlas.reports import show_comparison
    from atlas.selection import side_by_side

    with AtlasClient.from_environment() as client:
        found = client.compare(*side_by_side(client, chosen, tag=tag))
    _tell(found, show_comparison, as_json=as_json)


def download(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Names of models.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="The folder to write to.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Fetch the bundles of models; each is verified, and whole or not there at all."""
    from atlas.client import AtlasClient
    from atlas.reports import sending

    output.mkdir(parents=True, exist_ok=True)
    paths = []
    with AtlasClient.from_environment() as client:
        for model in models:
            with sending(model) as progress:
                paths.append(client.download(model, output, progress=progress))
            if not as_json:
                typer.echo(paths[-1])
    if as_json:
        _print_json({"bundles": [{"bundle": str(path), "size_bytes": path.stat().st_size} for path in paths]})


def rerun(
    chosen: Annotated[
        list[str],
        typer.Argument(metavar="WHAT...", help="Keys of benchmarks, or names of models.", show_default=False),
    ],
    tag: Annotated[str | None, _narrowed("--tag", "Of models, only the benchmarks on this dataset.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run benchmarks once more, or all those of models that have ended and can run."""
    from atlas.client import AtlasClient
    from atlas.reports import show_benchmarks
    from atlas.selection import ended

    with AtlasClient.from_environment() as client:
        queued = [client.run_again(benchmark) for benchmark in ended(client, chosen, tag=tag)]
    if as_json:
        _print_json({"benchmarks": [each.model_dump(mode="json") for each in queued]})
    else:
        show_benchmarks(queued)


def predict(
    model: Model,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, show_default=False, help="Rows: a CSV, Parquet or JSON file."),
    ] = None,
    dataset: Annotated[str | None, _narrowed("--dataset", "Events of TAG:VERSION, or of TAG's newest.")] = None,
    events: Annotated[list[str] | None, _narrowed("--event", "The id of one of them; repeatable.", "ID")] = None,
    most: Annotated[int, typer.Option(help="Without ids, so many of the first events.", min=1, max=100_000)] = 100,
    recording: Annotated[str | None, _narrowed("--recording", "All events of a recording.", "NAME")] = None,
    explain: Annotated[
        bool, typer.Option("--explain/--no-explain", help="Whether the first rows are explained.")
    ] = True,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one line a row, for other programs.")] = False,
    timeout: Annotated[float, typer.Option(help="How many seconds to wait at most.")] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Have a model predict rows of a file, events of a dataset version, or a recording; wait, and print what came."""
    from atlas.api import PredictionRequest
    from atlas.client import AtlasClient
    from atlas.predicted import print_csv, show_prediction

    if sum(each is not None for each in (file, dataset, recording)) != 1:
        raise typer.BadParameter("just one of FILE, --dataset and --recording says what is predicted")
    wanted = {"dataset": dataset or "", "recording": recording or "", "events": tuple(events or ()), "most": most}
    with AtlasClient.from_environment() as client:
        if file is not None:
            asked = client.predict_file(model, file, explains=explain)
        else:
            request = PredictionRequest.model_validate({**wanted, "explains": explain})
            asked = client.predict(model, request)
        found = client.wait_for_prediction(asked.id, timeout_seconds=timeout)
        rows = list(client.predicted_rows(asked.id))
    if as_json:
        _print_json(found.model_dump(mode="json") | {"predicted": [row.model_dump(mode="json") for row in rows]})
    elif as_csv:
        print_csv(rows)
    else:
        show_prediction(found, rows)


def gate(ctx: typer.Context, model: Model, as_json: AsJson = False) -> None:
    """Say whether a model may become champion, check by check.

    Exit status: 0 if it passes, 1 if it does not, 2 if nobody can tell: no such model, no token, no server.
    """
    from atlas.client import AtlasClient
    from atlas.reports import show_gate

    ctx.meta[EXIT_STATUS] = 2
    with AtlasClient.from_environment() as client:
        report = client.gate(model)
    _tell(report, show_gate, as_json=as_json)
    if not report.passed:
        raise typer.Exit(1)


def promote(
    model: Model,
    why: Annotated[str, typer.Option(help="For those who look at the history later.", show_default=False)],
    to: Annotated[Stage, typer.Option(help="The stage that it is moved to.")] = Stage.CHAMPION,
    as_json: AsJson = False,
) -> None:
    """Move a model to a stage. It becomes champion only if it passes the gate; the one before it is then retired."""
    from atlas.client import AtlasClient
    from atlas.reports import show_stage

    if not why.strip():
        raise typer.BadParameter("say why, for those who look at the history later", param_hint="--why")
    with AtlasClient.from_environment() as client:
        change = client.set_stage(model, to, why)
    _tell(change, show_stage, as_json=as_json)


def champion(
    use_case: Annotated[str, typer.Argument(help="Such as 'damage detector'.", show_default=False)],
    fetch: Annotated[bool, typer.Option("--download", help="Fetch its bundle too, verified.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="The folder to write to.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Print the name of a use case's champion, or with --download the path of its bundle."""
    from atlas.client import AtlasClient
    from atlas.reports import sending

    with AtlasClient.from_environment() as client:
        found = client.champion(use_case)
        told, said = found.model_dump(mode="json"), found.name
        if fetch:
            output.mkdir(parents=True, exist_ok=True)
            with sending(found.name) as progress:
                said = str(client.download(found.model, output, progress=progress))
            told |= {"bundle": said}
    if as_json:
        _print_json(told)
    else:
        typer.echo(said)


def alerts(
    acknowledge: Annotated[
        int | None, _narrowed("--acknowledge", "The key of an alert that you know of; else all are shown.", "KEY")
    ] = None,
    note: Annotated[str, _narrowed("--note", "What you know of it, for the others.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the alerts that have not recovered, or acknowledge one of them."""
    from atlas.client import AtlasClient
    from atlas.reports import show_alerts

    if note and acknowledge is None:
        raise typer.BadParameter("A note needs the alert that it is about: --acknowledge KEY.", param_hint="--note")
    with AtlasClient.from_environment() as client:
        found = _unrecovered(client) if acknowledge is None else [client.acknowledge(acknowledge, note)]
    if as_json:
        _print_json({"alerts": [each.model_dump(mode="json") for each in found]})
    else:
        show_alerts(found)


def _unrecovered(client: Any) -> list[Any]:
    """The alerts that nobody has acknowledged, then those that somebody has."""
    return [each for state in (AlertState.OPEN, AlertState.ACKNOWLEDGED) for each in client.alerts(state=state)]


COMMANDS = (whoami, push, wait, leaderboard, compare, download, rerun, gate, promote, champion, alerts, predict)


def _tell(document: BaseModel, show: Callable[[Any], None], *, as_json: bool) -> None:
    if as_json:
        _print_json(document.model_dump(mode="json"))
    else:
        show(document)


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2))
