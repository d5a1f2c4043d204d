"""Every table is named in the table of grants."""

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

from storage.grants import TABLES, Component, Privilege


def test_what_may_be_done_with_each_table_is_said_and_of_no_other() -> None:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert TABLES.keys() == tables | {MigrationRecorder.Migration._meta.db_table}


def test_columns_that_may_be_updated_are_those_of_their_tables() -> None:
    models = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    for table, rights in TABLES.items():
        columns = {column for component in Component for column in rights.of(component).columns}
        assert not columns or columns <= {field.column for field in models[table]._meta.fields}, table


def test_a_backup_reads_everything_and_writes_nothing() -> None:
    found = {rights.of(Component.BACKUP).privileges for rights in TABLES.values()}
    assert found == {Privilege.SELECT}
