"""`atlas doctor`: looks at everything that an installation needs."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from atlas.errors import AtlasError
from atlas.terminal import console

if TYPE_CHECKING:
    from doctor.findings import Check, Finding

SIGNS = {"well": ("\N{CHECK MARK}", "green"), "doubtful": ("!", "yellow"), "broken": ("\N{BALLOT X}", "bold red")}
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    backups: Annotated[
        Path | None, typer.Option(help="The folder of all backups, to see how old the newest is.", show_default=False)
    ] = None,
) -> None:
    """Look at everything that Atlas needs, as the settings of this process name it, and say how to mend what is wrong.

    It takes a minute at most. Exit status 1 if anything is broken.
    """
    findings = list(_findings(backups))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in findings], indent=2))
    else:
        _show(findings)
    if any(each.verdict == "broken" for each in findings):
        raise typer.Exit(1)


def _findings(backups: Path | None) -> Iterator["Finding"]:
    """What all checks find; settings that Django cannot start with are the one thing that is found then."""
    import django

    from doctor import findings
    from doctor.settings import PART, REMEDY

    os.environ["DJANGO_SETTINGS_MODULE"] = "ingestion_engine.settings"
    try:
        django.setup()
    except AtlasError as error:
        yield findings.broken(PART, str(error), REMEDY)
        return
    yield from findings.found(_checks(backups))


def _checks(backups: Path | None) -> list["Check"]:
    from doctor.all import checks

    return checks(backups)


def _show(findings: Iterable["Finding"]) -> None:
    out = console()
    for each in findings:
        sign, style = SIGNS[each.verdict]
        out.print(Text.assemble((sign, style), f" {each.part}: {each.said}"), soft_wrap=True)
        if each.remedy:
            out.print(Text(f"  {each.remedy}", style), soft_wrap=True)
