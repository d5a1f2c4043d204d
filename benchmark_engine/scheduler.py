"""When the engine does what: APScheduler wiring only."""

import logging
import traceback
from collections.abc import Callable
from datetime import UTC

from apscheduler.schedulers.background import BackgroundScheduler
from django.db import DatabaseError, close_old_connections

from atlas.errors import AtlasError, ObjectStoreError
from atlas.states import ComponentState, Level
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Dispatcher
from benchmark_engine.model_manager import discover_models, discover_versions, plan
from benchmark_engine.settings import EngineSettings

DISPATCH_SECONDS = 0.5

logger = logging.getLogger(__name__)


class Scheduler:
    """Runs the engine's schedules until it is stopped. A job that fails is logged and runs again at its next time."""

    def __init__(self, connector: Connector, dispatcher: Dispatcher, settings: EngineSettings) -> None:
        self._connector = connector
        self._dispatcher = dispatcher
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._problems: dict[str, str] = {}
        for name, job, seconds in (
            ("look for models", self._models, settings.poll_seconds),
            ("look for dataset versions", self._versions, settings.poll_seconds),
            ("run benchmarks", dispatcher.tick, DISPATCH_SECONDS),
            ("renew leases", dispatcher.renew, settings.lease_seconds / 3),
        ):
            self._scheduler.add_job(self._guarded(name, job), "interval", seconds=seconds, name=name)

    def start(self) -> None:
        """Plan what an earlier engine left unplanned, then look for news at once and on schedule."""
        self._guarded("plan", lambda: plan(self._connector))()
        self._scheduler.start()
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=self._connector.clock())

    def stop(self) -> None:
        """Look for nothing more, and close the dispatcher."""
        self._scheduler.shutdown(wait=True)
        self._dispatcher.close()

    def _models(self) -> None:
        try:
            if discover_models(self._connector):
                self._versions()
        except ObjectStoreError as error:
            self._connector.report("storage", ComponentState.DOWN, str(error))
            raise

    def _versions(self) -> None:
        try:
            discover_versions(self._connector)
        finally:
            plan(self._connector)

    def _guarded(self, name: str, job: Callable[[], object]) -> Callable[[], None]:
        """The job as the scheduler runs it: what it raises ends here. A fault that lasts is logged once."""

        def run() -> None:
            close_old_connections()
            try:
                job()
            except (AtlasError, DatabaseError) as error:
                self._complain(name, error)
            except Exception as error:  # process boundary
                logger.exception("Could not %s", name)
                self._complain(name, error)
            else:
                self._problems.pop(name, None)

        return run

    def _complain(self, name: str, error: Exception) -> None:
        message = f"Could not {name}: {error}"
        if self._problems.get(name) == message:
            return
        self._problems[name] = message
        try:
            self._connector.log(message, level=Level.ERROR, detail="".join(traceback.format_exception(error)))
        except DatabaseError:
            logger.exception("The log page cannot be written")
