"""`atlas backup` and `atlas restore`: the database and the objects of both stores, together.

They read the same settings as the servers.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from atlas.errors import SettingsError

backup_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
restore_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Folder = Annotated[Path, typer.Argument(file_okay=False, help="The folder of all backups.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


@backup_app.command()
def backup(
    folder: Folder,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Remove all but the newest so many backups afterwards.", show_default=False),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Make none: read all that are there, and check them.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Back up the database and the objects, as they are at one moment, while Atlas runs.

    The database is the one of DATABASE_URL, the objects are those of ATLAS_OBJECT_STORE and ATLAS_INGESTION_STORE.
    What an earlier backup in the folder has is not copied again. Exit status 1 if the backup could not be made, or if
    one of those that are verified cannot be restored.
    """
    _set_up()
    from backups import running

    if verify:
        running.verify(folder, quiet=quiet)
    else:
        running.back_up(folder, keep, quiet=quiet)


@restore_app.command()
def restore(
    folder: Folder,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="The newest backup until then, such as 2026-03-31T12:00; UTC.", show_default=False
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Restore although Atlas seems to run.")] = False,
    quiet: Quiet = False,
) -> None:
    """Put the newest backup, or an earlier one, into an empty database and empty stores.

    All of it is checked first. One that is broken off is run again. Afterwards, `manage.py prepare` gives roles their
    rights, and brings the database of an earlier release up to date.
    """
    moment = None if at is None else _moment(at)
    _set_up()
    from backups import running

    running.restore(folder, moment, replace=replace, force=force, quiet=quiet)


def _set_up() -> None:
    """Make Django ready, with the settings that name the database and both stores."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "ingestion_engine.settings"
    django.setup()


def _moment(text: str) -> datetime:
    """A time in ISO 8601, or the name of a backup's folder; in UTC if it names no zone.

    Raises:
        SettingsError: it is none.
    """
    try:
        found = datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError as error:
        raise SettingsError(f"--at: {text!r} is no time such as 2026-03-31T12:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
