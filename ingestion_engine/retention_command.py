"""`atlas retention`: removes what is older than the settings have it kept, or shows what that would be."""

import getpass
import os
from datetime import UTC, datetime
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing, but show what would go.")] = False,
) -> None:
    """Remove what is older than the settings ATLAS_KEEP_… have it kept.

    The engines do so every day; this command does it at once, and removes lines of the audit log, which no engine may.
    """
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "ingestion_engine.settings"
    django.setup()
    from ingestion_engine import retention_run

    if dry_run:
        retention_run.show(_now())
    else:
        retention_run.carry_out(_now(), by=getpass.getuser())


def _now() -> datetime:
    return datetime.now(UTC)
