"""All checks that the settings of this process give reason for."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from atlas_web.environment import Directory
from benchmark_engine.delivery_settings import DeliverySettings
from doctor import machine, outside, services, stores, tables
from doctor import settings as own_settings
from doctor.findings import Check
from ingestion_engine.settings import OWN, store_url


def checks(backups: Path | None) -> list[Check]:
    """Every check, in the order in which they are told; `backups` is the folder of all backups, if it is known."""
    return [
        Check(own_settings.PART, own_settings.look, own_settings.REMEDY),
        Check(tables.PART, tables.look, tables.REMEDY),
        *_stores(),
        Check(services.INGESTION, services.look_at_ingestion, services.INGESTION_REMEDY),
        Check(services.DASHBOARD, services.look_at_dashboard, services.DASHBOARD_REMEDY),
        Check("components", services.look_at_components, services.COMPONENTS_REMEDY),
        Check(machine.SANDBOX, machine.look_at_sandbox, machine.SANDBOX_REMEDY),
        Check(machine.ROOM, machine.look_at_room, machine.ROOM_REMEDY),
        Check(machine.SECRETS, machine.look_at_secrets, machine.SECRETS_REMEDY),
        *_outside(backups),
    ]


def _stores() -> Iterator[Check]:
    yield stores.check_of("object store", settings.ATLAS_OBJECT_STORE)
    yield stores.check_of("object store of the ingestion engine", store_url())
    if OWN.ingestion_inbox:
        yield stores.check_of("inbox", OWN.ingestion_inbox)


def _outside(backups: Path | None) -> Iterator[Check]:
    if Directory.from_environment().url:
        yield Check(outside.DIRECTORY, outside.look_at_directory, outside.DIRECTORY_REMEDY)
    if DeliverySettings.from_environment().smtp_url:
        yield Check(outside.MAIL, outside.look_at_mail, outside.MAIL_REMEDY)
    if backups is not None:
        yield outside.check_of_backups(backups)
