"""No migration since the last kept release takes anything away that the release before still reads or writes."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection, models
from django.db.migrations import (
    AddField,
    AlterField,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveField,
    RenameField,
)
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django_migration_linter.sql_analyser.analyser import analyse_sql_statements
from django_migration_linter.sql_analyser.postgresql import PostgresqlAnalyser
from pytest_django import DjangoDbBlocker

from tests.upgrade import kept

OURS = ("storage", "ingestion_engine")


@pytest.fixture
def loader(postgres_url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[MigrationLoader]:
    """All migrations, over PostgreSQL: what SQLite is told says little of what is locked and lost."""
    with django_db_blocker.unblock(), kept.connected(postgres_url):
        yield MigrationLoader(connection)


def released(folder: Path) -> set[tuple[str, str]]:
    """The migrations that the newest kept release had."""
    kept.put_sqlite(kept.RELEASES[-1], folder)
    with closing(sqlite3.connect(folder / "atlas.sqlite3")) as database:
        return set(database.execute("SELECT app, name FROM django_migrations"))


def unsafe(migration: Migration, state: ProjectState) -> list[str]:
    """What a migration does that the release before cannot live with."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    errors, _, _ = analyse_sql_statements(PostgresqlAnalyser, editor.collected_sql)
    return [issue.message for issue in errors]


def test_all_migrations_since_the_last_release_are_safe(loader: MigrationLoader, tmp_path: Path) -> None:
    before = released(tmp_path)
    new = [key for key in loader.graph.nodes if key[0] in OURS and key not in before]
    found = {key: unsafe(loader.get_migration(*key), loader.project_state(key, at_end=False)) for key in new}
    assert {key: problems for key, problems in found.items() if problems} == {}


@pytest.mark.parametrize(
    "operations",
    [
        [AddField("author", "team", models.CharField(max_length=9, default=""))],
        [RemoveField("author", "email")],
        [RenameField("author", "email", "address")],
        [AlterField("author", "email", models.IntegerField())],
        [DeleteModel("Orphan")],
    ],
    ids=["needed", "removed", "renamed", "another type", "no table"],
)
def test_what_breaks_the_release_before_is_refused(loader: MigrationLoader, operations: Sequence[Operation]) -> None:
    assert unsafe(_migration(operations), loader.project_state()) != []


def test_what_the_release_before_need_not_know_is_allowed(loader: MigrationLoader) -> None:
    operations = (
        AddField("author", "team", models.CharField(max_length=9, null=True)),
        AddField("author", "site", models.CharField(max_length=9, default="", db_default="")),
        CreateModel("Team", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]),
    )
    assert unsafe(_migration(operations), loader.project_state()) == []


def _migration(operations: Sequence[Operation]) -> Migration:
    kind = type("Next", (Migration,), {"operations": list(operations)})
    made: Migration = kind("next", "storage")
    return made
