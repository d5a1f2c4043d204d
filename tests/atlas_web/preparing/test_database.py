"""The roles of the components in a real PostgreSQL: what they may do, and what not."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from django.db import ProgrammingError, connection, transaction

from atlas.errors import SettingsError
from atlas_web.preparing.database import Login, logins, set_up_roles
from storage.grants import TABLES, Component
from tests import stage

Roles = Mapping[Component, Login]
ACCESS = "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
COLUMNS = (
    "SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL ORDER BY 1, 2"
)


@pytest.fixture
def roles(db: None) -> Roles:
    """Roles of this test's own, as they are after they were set up."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no roles")
    mark = uuid.uuid4().hex[:12]
    wanted = {each: Login(role=f"{each}_{mark}", password="it's secret") for each in Component}
    assert list(set_up_roles(wanted)) == [
        f"Database role of the {each}: {login.role} was made." for each, login in wanted.items()
    ]
    return wanted


@contextmanager
def acting_as(login: Login) -> Iterator[None]:
    """A transaction in which one has the rights of a role; it is undone."""
    with transaction.atomic():
        do(f"SET LOCAL ROLE {login.role}")
        try:
            yield
        finally:
            transaction.set_rollback(True)


def do(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def answer(query: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: list[tuple[object, ...]] = cursor.fetchall()
        return found


def test_the_engine_cannot_read_the_user_table_nor_anything_else_of_people(roles: Roles) -> None:
    people = ["auth_user", "auth_user_groups", "storage_apitoken", "django_session", "axes_accessattempt"]
    for table in [*people, "storage_action", "storage_preference", "ingestion_engine_recording"]:
        refused = pytest.raises(ProgrammingError, match=f"permission denied for table {table}")
        with refused, acting_as(roles[Component.ENGINE]):
            do(f"SELECT * FROM {table}")


def test_the_dashboard_cannot_write_a_metric_nor_any_other_result(roles: Roles) -> None:
    results = ["metric", "confusionmatrix", "residuals", "explanation", "drift", "regressioncheck", "versiondrift"]
    changes = {f"storage_{each}": "id" for each in results} | {"storage_benchmark": "score", "storage_model": "digest"}
    for table, column in changes.items():
        for statement in (f"INSERT INTO {table} DEFAULT VALUES", f"UPDATE {table} SET {column} = NULL"):
            with pytest.raises(ProgrammingError, match="permission denied"), acting_as(roles[Component.DASHBOARD]):
                do(statement)


def test_the_engine_writes_results_and_the_dashboard_reads_and_deletes_them(roles: Roles) -> None:
    model, version = stage.add_model(), stage.add_version()
    with acting_as(roles[Component.ENGINE]):
        stage.finish(model, version)
    benchmark = stage.finish(model, version)
    with acting_as(roles[Component.DASHBOARD]):
        assert answer(f"SELECT count(*) > 0 FROM storage_metric WHERE benchmark_id = {benchmark}") == [(True,)]
        do("DELETE FROM storage_metric")


def test_the_messenger_keeps_what_became_of_messages_and_reads_nothing_of_people(roles: Roles) -> None:
    with acting_as(roles[Component.MESSENGER]):
        do("UPDATE storage_delivery SET state = 'sent'")
    for forbidden in (
        "SELECT * FROM auth_user",
        "SELECT * FROM storage_metric",
        "UPDATE storage_delivery SET channel_id = 1",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), acting_as(roles[Component.MESSENGER]):
            do(forbidden)


def test_a_backup_reads_every_table_and_writes_none(roles: Roles) -> None:
    for table in TABLES:
        with acting_as(roles[Component.BACKUP]):
            do(f"SELECT * FROM {table}")
        with pytest.raises(ProgrammingError, match="permission denied"), acting_as(roles[Component.BACKUP]):
            do(f"DELETE FROM {table}")


def test_nobody_makes_tables_and_who_has_no_role_of_atlas_does_not_get_in(roles: Roles) -> None:
    for login in roles.values():
        with pytest.raises(ProgrammingError, match="permission denied for schema public"), acting_as(login):
            do("CREATE TABLE public.mine (number int)")
    name = f"stranger_{uuid.uuid4().hex[:12]}"
    do(f"CREATE ROLE {name}")
    assert answer(f"SELECT has_database_privilege('{name}', current_database(), 'CONNECT')") == [(False,)]


def test_setting_them_up_again_changes_nothing_but_takes_back_what_was_added(roles: Roles) -> None:
    before = answer(ACCESS), answer(COLUMNS)
    do(f"GRANT UPDATE ON storage_metric TO {roles[Component.DASHBOARD].role}")
    do(f"GRANT SELECT (email) ON auth_user TO {roles[Component.ENGINE].role}")
    assert answer(ACCESS) != before[0]
    assert all(done.endswith("was updated.") for done in set_up_roles(roles))
    assert (answer(ACCESS), answer(COLUMNS)) == before


def test_passwords_reach_the_server_as_what_it_checks_them_with(roles: Roles) -> None:
    kept = answer(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{roles[Component.ENGINE].role}'")
    assert str(kept[0][0]).startswith("SCRAM-SHA-256$")


@pytest.mark.usefixtures("roles")
def test_the_owner_of_the_tables_is_no_component() -> None:
    [[owner]] = answer("SELECT current_user")
    with pytest.raises(SettingsError, match=f"^ATLAS_DATABASE_URL_ENGINE: {owner} owns the tables"):
        list(set_up_roles({Component.ENGINE: Login(role=str(owner), password="x")}))


def test_an_owner_who_may_not_make_roles_is_told_so(roles: Roles) -> None:
    refused = pytest.raises(SettingsError, match=r"^DATABASE_URL: its role cannot set up others: .* needs CREATEROLE")
    with refused, acting_as(roles[Component.ENGINE]):
        list(set_up_roles({Component.BACKUP: Login(role=f"backup_{uuid.uuid4().hex[:12]}", password="x")}))


@pytest.mark.parametrize(
    "url", ["", "sqlite:///atlas", "postgresql://db.example.org/atlas", "postgresql://atlas@db.example.org/atlas"]
)
def test_a_url_without_role_or_password_is_refused_by_the_settings_name(url: str) -> None:
    with pytest.raises(
        SettingsError, match=r"^ATLAS_DATABASE_URL_BACKUP: it must look like postgresql://ROLE:PASSWORD@"
    ):
        logins({Component.BACKUP: url})


def test_each_component_has_a_role_of_its_own() -> None:
    url = "postgresql://atlas_web:p%40ss@db.example.org/atlas"
    assert logins({Component.ENGINE: url}) == {Component.ENGINE: Login(role="atlas_web", password="p@ss")}
    with pytest.raises(SettingsError, match=r"^ATLAS_DATABASE_URL_BACKUP: another component has the role atlas_web"):
        logins({Component.ENGINE: url, Component.BACKUP: url})
