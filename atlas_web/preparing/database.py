"""The roles with which Atlas' processes sign in to a PostgreSQL."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from django.db import ProgrammingError, connection, transaction
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Composable, Identifier, Literal

from atlas.errors import SettingsError
from storage import grants
from storage.grants import Component


@dataclass(frozen=True, kw_only=True)
class Login:
    """How a component signs in to the database."""

    role: str
    password: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> "Login":
        """Reads `postgresql://role:password@host:port/database`.

        Raises:
            ValueError: the role or the password is missing.
        """
        parts = urlsplit(url)
        if not (parts.scheme.startswith("postgres") and parts.username and parts.password):
            raise ValueError("it must look like postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE")
        return cls(role=unquote(parts.username), password=unquote(parts.password))


def logins(urls: Mapping[Component, str]) -> dict[Component, Login]:
    """How the components sign in, by the URLs that are set.

    Raises:
        SettingsError: a URL has another form, or two name the same role.
    """
    found: dict[Component, Login] = {}
    for component, url in urls.items():
        try:
            login = Login.parse(url)
        except ValueError as error:
            raise SettingsError(f"{variable(component)}: {error}") from error
        if login.role in {each.role for each in found.values()}:
            raise SettingsError(f"{variable(component)}: another component has the role {login.role}; give it its own")
        found[component] = login
    return found


def variable(component: Component) -> str:
    """The setting that says how a component signs in."""
    return f"ATLAS_DATABASE_URL_{component.name}"


def set_up_roles(wanted: Mapping[Component, Login]) -> Iterator[str]:
    """Make the components' roles or update them, and grant them what `storage.grants` says; what was done.

    Others see all of it at once, when it is done.

    Raises:
        SettingsError: a component has the role that prepares, which owns the tables, so that no right can be taken from
            it; or that role may not make others.
    """
    if not wanted:
        yield "Database roles: none; all components have the one that prepares."
        return
    if connection.vendor != "postgresql":
        yield "Database roles: none; SQLite knows no roles."
        return
    with _refusals(), transaction.atomic():
        _run(grants.for_nobody(_name()))
        for component, login in wanted.items():
            if login.role == _value("SELECT current_user"):
                raise SettingsError(f"{variable(component)}: {login.role} owns the tables; give it a role of its own")
            done = _make_role(login)
            _run(grants.for_component(component, login.role, _name()))
            yield f"Database role of the {component}: {login.role} was {done}."


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        raise SettingsError(
            f"DATABASE_URL: its role cannot set up others: {str(error).strip()}; it needs CREATEROLE, and to own the "
            "database and its tables"
        ) from error


def _make_role(login: Login) -> str:
    """Have a role that can sign in, and do nothing more; whether it was made or updated.

    The server never sees the password itself, so that its log cannot hold it.
    """
    known = _value("SELECT count(*) FROM pg_roles WHERE rolname = %s", login.role)
    connection.ensure_connection()
    scope = connection.connection
    secret = encrypt_password(login.password, login.role, scope=scope, algorithm="scram-sha-256")
    verb = SQL("ALTER ROLE" if known else "CREATE ROLE")
    _run([SQL("{} {} LOGIN PASSWORD {}").format(verb, Identifier(login.role), Literal(secret))])
    return "updated" if known else "made"


def _name() -> str:
    return str(_value("SELECT current_database()"))


def _value(query: str, *parameters: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchone()[0]


def _run(statements: Iterator[Composable] | list[Composable]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
