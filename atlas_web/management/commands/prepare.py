"""`manage.py prepare`: makes an installation ready, before its processes start."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from atlas.errors import AtlasError
from atlas_web.preparing.administrator import make_first_administrator
from atlas_web.preparing.settings import PreparationSettings
from atlas_web.preparing.waiting import alone, wait_for_database, wait_for_objects


class Command(BaseCommand):
    """Whatever is done already is left as it is, so that it may run before each start."""

    help = "Wait for the servers, make or update the tables, and make the first administrator."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, and say in a line each what was done."""
        try:
            self._prepare(PreparationSettings.from_environment())
        except AtlasError as error:
            raise CommandError(str(error)) from error

    def _prepare(self, given: PreparationSettings) -> None:
        wait_for_database(given.prepare_seconds)
        self.stdout.write("Database: it answers.")
        with alone():
            self.stdout.write(_migrate())
            wait_for_objects("ATLAS_OBJECT_STORE", settings.ATLAS_OBJECT_STORE, given.prepare_seconds)
            self.stdout.write("Object store: it answers.")
            self.stdout.write(make_first_administrator(given, now=timezone.now()))


def _migrate() -> str:
    """Make the tables as this version wants them; what was done."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    call_command("migrate", interactive=False, verbosity=0)
    return f"Tables: {missing} migrations were applied." if missing else "Tables: up to date."
