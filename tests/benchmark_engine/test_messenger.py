"""What sends alerts apart from the engines."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from atlas.results import BenchmarkResult
from atlas.states import ComponentState
from benchmark_engine.connector import Connector
from benchmark_engine.delivering import Deliverer
from benchmark_engine.delivery_settings import DeliverySettings
from benchmark_engine.dispatcher import Dispatcher
from benchmark_engine.journal import Journal
from benchmark_engine.messenger import Messenger
from benchmark_engine.predicting import Report
from benchmark_engine.scheduler import Scheduler
from benchmark_engine.settings import EngineSettings
from benchmark_engine.sweeper import Sweeper
from benchmark_engine.worker import Task
from storage.models import ComponentStatus, LogEntry
from tests.samples import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def messenger() -> Messenger:
    return Messenger(Journal(clock=lambda: NOON, component="messenger"), DeliverySettings())


def test_it_gives_signs_of_life_as_a_component_of_its_own(messenger: Messenger) -> None:
    messenger.look()
    (status,) = ComponentStatus.objects.all()
    assert (status.name, status.state, status.seen) == ("messenger", ComponentState.HEALTHY, NOON)


@pytest.mark.django_db(transaction=True)  # as it lets go of its connection
def test_it_goes_on_when_the_database_was_away(messenger: Messenger, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped, turns = threading.Event(), iter([OperationalError("connection refused"), None])

    def deliver(_: Deliverer) -> None:
        turn = next(turns)
        if turn is not None:
            raise turn
        stopped.set()

    monkeypatch.setattr(Deliverer, "deliver", deliver)
    monkeypatch.setattr(messenger, "_every_seconds", 0.01)
    messenger.run(stopped)
    assert ComponentStatus.objects.get().name == "messenger"
    assert LogEntry.objects.get().component == "messenger"


def test_wrong_settings_end_it_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_SMTP_URL", "ftp://mail.example.org")
    with pytest.raises(CommandError, match="ATLAS_SMTP_URL"):
        call_command("send_alerts")


@pytest.mark.parametrize("deliver", [True, False])
def test_an_engine_sends_alerts_unless_it_is_told_not_to(
    connector: Connector, monkeypatch: pytest.MonkeyPatch, deliver: bool
) -> None:
    settings = EngineSettings(deliver=deliver)
    jobs: list[str] = []
    monkeypatch.setattr(
        "apscheduler.schedulers.background.BackgroundScheduler.add_job",
        lambda self, job, trigger, **options: jobs.append(options["name"]),
    )
    with ThreadPoolExecutor(1) as executor:
        dispatcher = Dispatcher(connector, executor, settings, engine="one", run=_never)
        Scheduler(connector, dispatcher, Sweeper(connector), settings)
    assert ("send alerts" in jobs) == deliver
    assert "look after alerts" in jobs


def _never(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
    raise AssertionError("nothing was to run")
