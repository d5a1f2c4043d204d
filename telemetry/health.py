"""Whether a process lives (`/healthz`), and whether it can do its work (`/readyz`)."""

from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from telemetry.tracing import untraced

PLAIN = "text/plain"
UNPREPARED = "The database was not brought up to date yet: `manage.py prepare` does it."


@login_not_required
@require_safe
def healthy(_request: HttpRequest) -> HttpResponse:
    """`ok`, if the process serves at all: nothing else is asked, as a new start would not bring back a database."""
    return HttpResponse("ok\n", content_type=PLAIN)


@login_not_required
@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """`ok` if pages can be shown, else 503 and one sentence that tells nothing of where things are.

    The object store is not asked: without it most pages work, and the others say what they lack.
    """
    trouble = missing()
    return HttpResponse(f"{trouble or 'ok'}\n", content_type=PLAIN, status=503 if trouble else 200)


def missing() -> str:
    """What it takes to work and is not there, as a sentence; empty if all is."""
    try:
        with untraced():
            applied = MigrationRecorder(connection).applied_migrations()
    except (OperationalError, InterfaceError):
        return "The database does not answer."
    except DatabaseError:
        return UNPREPARED
    return "" if _needed() <= applied.keys() else UNPREPARED


@cache
def _needed() -> frozenset[tuple[str, str]]:
    """The migrations that this process' code was written for, by app and name."""
    return frozenset(MigrationLoader(None).graph.nodes)
