"""Options that several commands of `atlas` share."""

from typing import Annotated

import typer

AS_JSON = "atlas.as_json"


EXIT_STATUS = "atlas.exit_status"
"""Under this key of `ctx.meta` a command says which exit status an error has, if it is not 1."""


def _remember(ctx: typer.Context, value: bool) -> bool:
    """Let errors know that JSON is wanted."""
    ctx.meta[AS_JSON] = value
    return value


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.", callback=_remember)]
