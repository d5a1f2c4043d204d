"""`manage.py prepare`: makes an installation ready, before its processes start."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from atlas.errors import AtlasError
from atlas_web.preparing.administrator import make_first_administrator
from atlas_web.preparing.database import logins, set_up_roles
from atlas_web.preparing.settings import PreparationSettings
from atlas_web.preparing.stores import ADMIN, address_in, addresses, set_up_users
from atlas_web.preparing.waiting import alone, wait_for_database, wait_for_objects
from storage.grants import Component
from storage.objects import S3Address


class Command(BaseCommand):
    """Whatever is done already is left as it is, so that it may run before each start."""

    help = "Wait for the servers; make tables, roles, users, buckets and the first administrator, or update them."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, and say in a line each what was done."""
        try:
            self._prepare(PreparationSettings.from_environment())
        except AtlasError as error:
            raise CommandError(str(error)) from error

    def _prepare(self, given: PreparationSettings) -> None:
        for done in _steps(given):
            self.stdout.write(done)


def _steps(given: PreparationSettings) -> Iterator[str]:
    """Prepare; each step says what it did. Settings that are wrong are found before anything is done."""
    roles, users = logins(given.database_urls), addresses(given.object_stores)
    wait_for_database(given.prepare_seconds)
    yield "Database: it answers."
    with alone():
        yield _migrate()
        yield from set_up_roles(roles)
        yield from _set_up_objects(given, users)
        yield make_first_administrator(given, now=timezone.now())


def _set_up_objects(given: PreparationSettings, users: Mapping[Component, S3Address]) -> Iterator[str]:
    variable, url = ADMIN, given.object_store_admin
    if not url:
        variable, url = "ATLAS_OBJECT_STORE", settings.ATLAS_OBJECT_STORE
    wait_for_objects(variable, url, given.prepare_seconds)
    yield "Object store: it answers."
    if given.object_store_admin:
        yield from set_up_users(address_in(variable, url), users)


def _migrate() -> str:
    """Make the tables as this version wants them; what was done."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    call_command("migrate", interactive=False, verbosity=0)
    return f"Tables: {missing} migrations were applied." if missing else "Tables: up to date."
