"""Whether a process lives (`/healthz`), and whether it can do its work (`/readyz`)."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

PLAIN = "text/plain"


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
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "The database does not answer."
    return "The database was not brought up to date yet: `manage.py prepare` does it." if behind else ""
