"""`atlas sandbox-check`: which layers hold on this machine, and whether they keep what they promise."""

import json
import threading
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from atlas.errors import AtlasError
from atlas.terminal import console
from atlas.vocabulary import Document
from benchmark_engine.sandbox.launcher import Sandbox, failure
from benchmark_engine.sandbox.layers import REQUIRED, Bubblewrap, Layer
from benchmark_engine.sandbox.limits import Limits
from benchmark_engine.sandbox.probes import NO_NAMES
from benchmark_engine.sandbox.protocol import ANSWER, Probe, ProbeAnswer, Stage, read_document
from benchmark_engine.settings import EngineSettings

LIMITS = Limits(wall_seconds=60, memory_bytes=1 << 30)
HOLDS = Text("holds", "green")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class SandboxCheckError(AtlasError):
    """The child that was to try the sandbox could not be run."""


class LayerReport(Document):
    """Whether a layer holds; `detail` says why not."""

    name: Layer
    required: bool
    holds: bool
    detail: str = ""


class SandboxReport(Document):
    """What this machine's sandbox is made of, and what came of attempts to break out of it."""

    layers: tuple[LayerReport, ...]
    probes: tuple[Probe, ...]

    @property
    def sound(self) -> bool:
        """Whether every required layer holds, and no attempt succeeded."""
        return all(layer.holds for layer in self.layers if layer.required) and all(p.contained for p in self.probes)


@app.command()
def sandbox_check(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Show which layers of the sandbox hold on this machine.

    A child is confined as for a benchmark, and tries what no model may do. Exit status 1 if a required layer is missing
    or if an attempt succeeds.
    """
    report = check()
    if as_json:
        typer.echo(json.dumps({"sound": report.sound, **report.model_dump(mode="json")}, indent=2))
    else:
        show(report)
    if not report.sound:
        raise typer.Exit(1)


def check() -> SandboxReport:
    """Try the sandbox in a child, with or without bubblewrap as the engine's settings say.

    Raises:
        SandboxCheckError: the child gave no answer.
        SettingsError: one of the settings is wrong.
    """
    wanted = EngineSettings.from_environment().bubblewrap
    required = REQUIRED | ({Layer.NAMESPACES} if wanted is Bubblewrap.REQUIRED else set())
    tried = Bubblewrap.OFF if wanted is Bubblewrap.OFF else Bubblewrap.AUTO
    with Sandbox(trusted=True, bubblewrap=tried) as sandbox, sandbox.workspace() as folders:
        outcome = sandbox.run(Stage.PROBE, folders, limits=LIMITS, stop=threading.Event())
        if not (outcome.scratch / ANSWER).exists():
            raise SandboxCheckError(f"{failure(outcome, LIMITS).reason} {outcome.output}".strip())
        answer = read_document(ProbeAnswer, outcome.scratch / ANSWER)
    layers = (
        LayerReport(
            name=layer,
            required=layer in required,
            holds=layer in outcome.layers,
            detail=outcome.missing.get(layer, ""),
        )
        for layer in Layer
    )
    hidden = Layer.NAMESPACES in outcome.layers
    probes = tuple(probe for probe in answer.probes if hidden or probe.promise != NO_NAMES)
    return SandboxReport(layers=tuple(layers), probes=probes)


def show(report: SandboxReport) -> None:
    """Print a report for people."""
    out = console()
    missing = {True: Text("MISSING", "bold red"), False: Text("missing", "yellow")}
    layers = [(one.name, HOLDS if one.holds else missing[one.required], one.detail) for one in report.layers]
    out.print(_table("Layer", "State", "Why not", rows=layers))
    broken = Text("BROKEN", "bold red")
    probes = [(one.promise, HOLDS if one.contained else broken, one.outcome) for one in report.probes]
    out.print(_table("Promise", "State", "What an attempt gave", rows=probes))
    out.print(_verdict(report), soft_wrap=True)


def _verdict(report: SandboxReport) -> Text:
    if report.sound:
        return Text("Bundles of people whom you do not know can be benchmarked on this machine.", "green")
    return Text(
        "This machine cannot contain bundles: the engine refuses them, unless ATLAS_TRUST_BUNDLES is set.", "red"
    )


def _table(*headings: str, rows: list[tuple[Any, ...]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
