"""Where what the engine's own jobs raise ends: it is logged once for as long as it lasts, and the engine goes on."""

import logging
import time
import traceback
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections

from atlas.errors import AtlasError
from atlas.states import Level
from benchmark_engine.journal import Journal

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)
"""What is raised while the database cannot be reached or is locked; the same statement may work later."""


class Complaints:
    """What goes wrong in a process itself, by the name of the job."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._problems: dict[str, str] = {}
        self._away_at: float | None = None

    def attempt(self, name: str, job: Callable[[], object]) -> bool:
        """Do a job, whatever it raises; whether it raised nothing.

        Args:
            name: what it does, as the end of "Could not".
            job: the job.
        """
        try:
            job()
        except AtlasError as error:
            self.complain(name, error)
        except DatabaseError as error:
            self._database_failed(error)
            self.complain(name, error)
        except Exception as error:  # process boundary
            logger.exception("Could not %s", name)
            self.complain(name, error)
        else:
            self._problems.pop(name, None)
            return True
        return False

    def database_was_away(self, seconds: float) -> bool:
        """Whether the database failed to answer at any time within the last so many seconds."""
        return self._away_at is not None and time.monotonic() - self._away_at < seconds

    def complain(self, name: str, error: Exception) -> None:
        """Log what a job raised, unless it did so the last time too.

        Args:
            name: what it does, as the end of "Could not".
            error: what it raised.
        """
        message = f"Could not {name}: {error}"
        if self._problems.get(name) == message:
            return
        self._problems[name] = message
        try:
            self._journal.log(message, level=Level.ERROR, detail="".join(traceback.format_exception(error)))
        except Exception:  # what cannot be said must not end what goes on
            close_old_connections()
            logger.exception("The log page cannot be written")

    def _database_failed(self, error: DatabaseError) -> None:
        if isinstance(error, AWAY):
            self._away_at = time.monotonic()
        close_old_connections()
