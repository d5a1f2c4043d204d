"""Options that several commands of `atlas` share."""

from typing import Annotated

import typer

AS_JSON = "atlas.as_json"


def _remember(ctx: typer.Context, value: bool) -> bool:
    """Let errors know that JSON is wanted."""
    ctx.meta[AS_JSON] = value
    return value


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.", callback=_remember)]
