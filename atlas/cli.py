"""The `atlas` command: pack a model, look into a bundle, check it as the engine does, and all that `atlas.remote` adds.

Exit status: 0 when all is well, 1 when a bundle or another input is wrong, 2 for wrong usage.
"""

import json
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from atlas import conforming, data_commands, remote
from atlas.errors import AtlasError
from atlas.options import AS_JSON, EXIT_STATUS, AsJson
from atlas.plugins import Pluggable
from atlas.vocabulary import Outputs, Task


class Commands(Pluggable):
    """Our commands and those of other packages."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run a command; what goes wrong becomes one line and exit status 1, or another that the command has for it."""
        try:
            return super().invoke(ctx)
        except AtlasError as error:
            _report(type(error).__name__, str(error), as_json=ctx.meta.get(AS_JSON, False))
        except OSError as error:
            if isinstance(error, BrokenPipeError):  # whoever read the output has enough of it
                raise
            what = f"{error.filename}: {error.strerror}" if error.filename is not None else str(error)
            _report(type(error).__name__, what, as_json=ctx.meta.get(AS_JSON, False))
        raise typer.Exit(ctx.meta.get(EXIT_STATUS, 1))


def _report(kind: str, message: str, *, as_json: bool) -> None:
    from atlas.terminal import say

    if as_json:
        _print_json({"error": {"type": kind, "message": message}})
    else:
        say("error", message, "bold red")


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"atlas {metadata.version('atlas-benchmark')}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BundlePath = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file that `atlas pack` wrote.")]
BundlePaths = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Files that `atlas pack` wrote.")]


def _file(*names: str, text: str) -> Any:
    return typer.Option(*names, help=text, exists=True, dir_okay=False, metavar="FILE", show_default=False)


def _field(*names: str, text: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, metavar=metavar, show_default=False)


@app.callback()
def atlas(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Pack models for Atlas, check them, send them, and read what came of them.

    Exit status: 0 when all is well, 1 when a bundle or another input is wrong, 2 for wrong usage.
    """


@app.command(rich_help_panel="Bundles")
def pack(
    model: Annotated[
        Path | None,
        typer.Argument(
            exists=True, show_default=False, help="The fitted model: a file of any format, or MLflow's folder."
        ),
    ] = None,
    config: Annotated[Path | None, _file("--config", "-c", text="YAML or JSON with any of these fields.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="The folder to write to.")] = Path(),
    name: Annotated[str | None, _field("--name", text="Of the family of models, such as DamageDetector.")] = None,
    version: Annotated[str | None, _field("--version", text="Of the model, such as 1.0.0.")] = None,
    use_case: Annotated[str | None, _field("--use-case", text="What it is for, such as 'damage detector'.")] = None,
    task: Annotated[Task | None, _field("--task", text="What it predicts.")] = None,
    author: Annotated[str | None, _field("--author", text="Such as 'Ada Lovelace <ada@example.com>'.")] = None,
    tags: Annotated[
        list[str] | None, _field("--tag", text="A dataset tag to benchmark on; repeatable.", metavar="TAG")
    ] = None,
    metrics: Annotated[
        list[str] | None, _field("--metric", text="See `atlas metrics`; repeatable.", metavar="METRIC")
    ] = None,
    primary_metric: Annotated[str | None, _field("--primary-metric", text="It ranks; else the first.")] = None,
    file_format: Annotated[
        str | None, _field("--format", text="What MODEL is written in; else what its suffix says.", metavar="FORMAT")
    ] = None,
    outputs: Annotated[Outputs | None, _field("--outputs", text="What a network's outputs are.")] = None,
    target: Annotated[str | None, _field("--target", text="The column that it predicts; else 'label'.")] = None,
    example: Annotated[
        Path | None, _file("--example", text="A few raw rows, CSV or Parquet, without the target.")
    ] = None,
    pipeline: Annotated[Path | None, _file("--pipeline", text="A fitted transformer: raw rows to features.")] = None,
    code: Annotated[list[Path] | None, _file("--code", text="A Python file that these need; repeatable.")] = None,
    reference: Annotated[Path | None, _file("--reference", text="Sample of the training data, CSV or Parquet.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a fitted model as a bundle.

    What the manifest says comes from options, from the fields of a --config file, or both; options win. Loading MODEL
    and --pipeline runs code that these files hold: pack your own files only.
    """
    from atlas.recipe import pack_recipe, read_recipe

    options = {
        "model": model,
        "format": file_format,
        "outputs": outputs,
        "name": name,
        "version": version,
        "use_case": use_case,
        "task": task,
        "author": author,
        "tags": tags or None,
        "metrics": metrics or None,
        "primary_metric": primary_metric,
        "target": target,
        "example": example,
        "pipeline": pipeline,
        "code": code or None,
        "reference": reference,
    }
    path = pack_recipe(read_recipe(config, options), output)
    if as_json:
        _print_json({"bundle": str(path), "size_bytes": path.stat().st_size})
    else:
        typer.echo(path)


@app.command(rich_help_panel="Bundles")
def inspect(bundle: BundlePath, as_json: AsJson = False) -> None:
    """Show what a bundle says of its model. Nothing in it is executed."""
    from atlas.bundle import inspect as read_manifest
    from atlas.terminal import show_manifest

    manifest = read_manifest(bundle)
    if as_json:
        _print_json(manifest.model_dump(mode="json"))
    else:
        show_manifest(manifest)


@app.command(rich_help_panel="Bundles")
def validate(bundles: BundlePaths, as_json: AsJson = False) -> None:
    """Check bundles as the benchmark engine does when they arrive. Nothing in them is executed."""
    from atlas.terminal import show_report
    from atlas.validation import validate as check

    reports = [check(bundle) for bundle in bundles]
    if as_json:
        _print_json({"bundles": [{"valid": report.valid, **asdict(report)} for report in reports]})
    else:
        for report in reports:
            show_report(report)
    if not all(report.valid for report in reports):
        raise typer.Exit(1)


@app.command(rich_help_panel="Bundles")
def metrics(
    task: Annotated[Task | None, _field("--task", text="Only those for models of this task.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the metrics that a model can be measured by."""
    from atlas.metrics import REGISTRY, metrics_for
    from atlas.terminal import show_metrics

    listed = tuple(REGISTRY.values()) if task is None else metrics_for(task)
    if as_json:
        fields = ("name", "title", "description", "greater_is_better", "needs")
        found = [{**{f: getattr(m, f) for f in fields}, "tasks": sorted(m.tasks)} for m in listed]
        _print_json({"metrics": found})
    else:
        show_metrics(listed)


for command in remote.COMMANDS:
    app.command(rich_help_panel="Server")(command)

app.add_typer(data_commands.recordings, name="recording", rich_help_panel="Data")
app.add_typer(data_commands.datasets, name="dataset", rich_help_panel="Data")
app.add_typer(conforming.app, name="conformance", rich_help_panel="Data")


def main() -> None:
    """The entry point of the `atlas` command."""
    app()
