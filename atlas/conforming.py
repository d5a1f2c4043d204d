"""`atlas conformance`: whether an engine of one's own keeps the contract."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atlas.options import AsJson

if TYPE_CHECKING:
    from atlas.conformance import Finding

MARKS = {"kept": ("\N{CHECK MARK}", "green"), "broken": ("\N{BALLOT X}", "bold red"), "skipped": ("\N{EN DASH}", "dim")}
app = typer.Typer(no_args_is_help=True, help="Check an engine of one's own against the contract.")


@app.callback()
def conformance() -> None:
    """Check an engine of one's own against the contract."""


@app.command()
def ingestion(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the engine answers.", show_default=False)],
    token: Annotated[
        str, typer.Option(envvar="ATLAS_INGESTION_TOKEN", help="What requests are signed in with.", show_default=False)
    ] = "",
    patience: Annotated[float, typer.Option(help="How many seconds a recording or a version may take.")] = 60.0,
    rules: Annotated[
        list[str] | None, typer.Option("--rule", metavar="ID", help="Only this rule; repeatable.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check an ingestion engine, one line a rule. Exit status 1 if it breaks one.

    The check sends small recordings and makes tags, whose names begin with conformance- and a random word. They stay in
    the engine: a tag whose query selects all events gets them too.
    """
    from atlas.conformance import RULES, Outcome, check_engine, conversation, random_prefix

    if unknown := sorted(set(rules or ()) - set(RULES)):
        raise typer.BadParameter(f"there is no rule {', '.join(unknown)}; they are {', '.join(RULES)}")

    prefix = random_prefix()
    with conversation(url, token=token) as http:
        findings = []
        for finding in check_engine(http, prefix=prefix, rules=rules or RULES, patience_seconds=patience):
            findings.append(finding)
            if not as_json:
                _show(finding)
    counts = {outcome.value: sum(each.outcome is outcome for each in findings) for outcome in Outcome}
    if as_json:
        rules_told = [_told(each) for each in findings]
        document: dict[str, Any] = {"url": url, "prefix": prefix, **counts, "rules": rules_told}
        typer.echo(json.dumps(document, indent=2))
    else:
        summary = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        typer.echo(f"{summary}; the names of what was made begin with {prefix}")
    if counts[Outcome.BROKEN.value]:
        raise typer.Exit(1)


def _show(finding: "Finding") -> None:
    from rich.text import Text

    from atlas.terminal import console, printable

    mark, style = MARKS[finding.outcome]
    why = finding.reason or (f"expected {finding.expected}, found {finding.found}" if finding.expected else "")
    line = f"{finding.rule.id} {finding.rule.says}" + (f": {why}" if why else "")
    console().print(Text.assemble((f"{mark} ", style), printable(line)), soft_wrap=True)


def _told(finding: "Finding") -> dict[str, Any]:
    rule = finding.rule
    said = asdict(finding) | {"outcome": finding.outcome.value}
    del said["rule"]
    return {"id": rule.id, "says": rule.says, "required": rule.required, **said}
