"""When the engine does what: APScheduler wiring only."""

import threading
from collections.abc import Callable, Collection, Iterator
from datetime import UTC
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler
from django.db import close_old_connections

from atlas.errors import ObjectStoreError
from atlas.states import ComponentState
from benchmark_engine import metrics
from benchmark_engine.alerting import Seen, look_after_alerts
from benchmark_engine.checking import Checker
from benchmark_engine.complaints import Complaints
from benchmark_engine.connector import Connector
from benchmark_engine.delivering import Deliverer
from benchmark_engine.dispatcher import Dispatcher
from benchmark_engine.events import Events, News
from benchmark_engine.inferences import plan_live
from benchmark_engine.model_manager import discover_model, discover_models, discover_versions, plan
from benchmark_engine.retention import remove_old
from benchmark_engine.senders import send
from benchmark_engine.settings import EngineSettings
from benchmark_engine.sweeper import Sweeper
from benchmark_engine.version_drift import measure_versions
from benchmark_engine.watched import Pulse
from storage import records
from storage.components import component_of_engine
from storage.retention import RetentionSettings

LOOK = "look for models"
COMPARE = "compare results with earlier versions"
COMPARE_VERSIONS = "compare dataset versions"
RENEW_SECONDS = 30.0
"""An engine gives a sign of life at least so often, however long its leases."""
SWEEP_SECONDS = 3600.0
RETENTION_SECONDS = 24 * 3600.0
ALERT_SECONDS = 5.0
"""Rules are looked at, and messages sent, at least so often."""
Scheduled = tuple[str, Callable[[], object], float]
"""What a job does, the job, and after how many seconds it is done again."""


class Scheduler:
    """Runs the engine's schedules until it is stopped. A job that fails is logged and runs again at its next time.

    News is looked at as it comes; the schedules find what no event told of.

    Raises:
        SettingsError: the address for announcements cannot be had, or a setting of what is kept is wrong.
    """

    def __init__(
        self,
        connector: Connector,
        dispatcher: Dispatcher,
        sweeper: Sweeper,
        settings: EngineSettings,
        pulse: Pulse | None = None,
    ) -> None:
        self._connector = connector
        self._pulse = pulse or Pulse()
        self._dispatcher = dispatcher
        self._engine_name = settings.engine_name
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._sweeper = sweeper
        self._checker = Checker(connector)
        self._complaints = Complaints(connector)
        self._asking = threading.Lock()  # a version that is announced and found by a schedule at once is kept once
        self._deliverer = Deliverer(
            connector, partial(send, settings), lease=settings.lease, first_wait=settings.first_wait
        )
        self._events = Events(connector.objects, settings, self._handle)
        retention = RetentionSettings.from_environment()
        soon = min(settings.poll_seconds, ALERT_SECONDS)
        jobs: tuple[Scheduled, ...] = (
            (LOOK, self._models, settings.poll_seconds),
            ("look for dataset versions", self._versions, settings.poll_seconds),
            (COMPARE, self._checker.check, settings.poll_seconds),
            (COMPARE_VERSIONS, lambda: measure_versions(connector), settings.poll_seconds),
            ("renew leases", dispatcher.renew, min(settings.lease_seconds / 3, RENEW_SECONDS)),
            ("remove replaced predictions", sweeper.remove_discarded, settings.poll_seconds),
            ("delete what people want gone", sweeper.carry_out_removals, settings.poll_seconds),
            ("sweep the object store", sweeper.sweep, SWEEP_SECONDS),
            ("remove what predictions left behind", sweeper.sweep_inferences, SWEEP_SECONDS),
            ("report orphans", sweeper.report_orphans, SWEEP_SECONDS),
            ("remove datasets that no worker needs", sweeper.sweep_datasets, SWEEP_SECONDS),
            ("forget abandoned uploads", sweeper.sweep_uploads, SWEEP_SECONDS),
            ("remove what is old", partial(remove_old, connector, retention), RETENTION_SECONDS),
            ("look after alerts", partial(look_after_alerts, connector, Seen()), soon),
            *self._delivering(settings),
        )
        for name, job, seconds in jobs:
            self._scheduler.add_job(self._guarded(name, job), "interval", seconds=seconds, id=name, name=name)
        dispatcher.call_after_each(self._check_soon)

    def start(self) -> None:
        """Plan what an earlier engine left unplanned, then look for news at once and on schedule."""
        self._guarded("plan", self._plan)()
        self._dispatcher.start()
        self._scheduler.start()
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=self._connector.clock())
        self._events.start()

    def stop(self) -> None:
        """Look for nothing more, and close the dispatcher; leases are renewed until all that runs has ended."""
        self._events.stop()
        self._deliverer.close()
        self._sweeper.close()
        self._checker.close()
        self._dispatcher.close()
        self._scheduler.shutdown(wait=True)
        self._guarded("say goodbye", self._say_goodbye)()

    def _say_goodbye(self) -> None:
        records.say_goodbye(component_of_engine(self._engine_name))

    def _delivering(self, settings: EngineSettings) -> Iterator[Scheduled]:
        if settings.deliver:
            seconds = min(settings.lease_seconds / 3, settings.poll_seconds, ALERT_SECONDS)
            yield "send alerts", self._deliverer.deliver, seconds

    def _models(self) -> None:
        try:
            arrived = discover_models(self._connector)
        except ObjectStoreError as error:
            self._connector.report("storage", ComponentState.DOWN, str(error))
            raise
        if arrived:
            self._versions()

    def _versions(self, only: Collection[str] | None = None) -> None:
        try:
            with self._asking:
                found = discover_versions(self._connector, only)
            if found:
                self._scheduler.modify_job(COMPARE_VERSIONS, next_run_time=self._connector.clock())
        finally:
            self._plan()

    def _plan(self) -> None:
        if plan(self._connector):
            self._dispatcher.wake()
        plan_live(self._connector)

    def _check_soon(self) -> None:
        """Compare a result as soon as it is there; should that be under way, what it misses is found next time."""
        if not self._checker.is_busy:
            self._scheduler.modify_job(COMPARE, next_run_time=self._connector.clock())

    def _handle(self, news: News) -> None:
        """Look at what is new, each in its own time: what one cannot do does not keep another."""
        if news.missed:
            self._guarded(LOOK, self._models)()
        if news.keys or news.tags:
            self._guarded("take in what arrived", lambda: self._take_in(news))()

    def _take_in(self, news: News) -> None:
        tags = set(news.tags)
        for key in sorted(news.keys):
            tags.update(discover_model(self._connector, key))
        if tags:
            self._versions(tags)

    def _guarded(self, name: str, job: Callable[[], object]) -> Callable[[], None]:
        """The job as the scheduler runs it: what it raises ends here."""

        def run() -> None:
            close_old_connections()
            self._pulse.beat("the schedules")
            with metrics.JOB_SECONDS.labels(name).time():
                succeeded = self._complaints.attempt(name, job)
            if not succeeded:
                metrics.JOB_FAILURES.labels(name).inc()

        return run
