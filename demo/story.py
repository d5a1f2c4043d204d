"""The demo from beginning to end. Each step starts from what is there: a second run repeats none of the work."""

import secrets
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from atlas import webhooks
from atlas.ingestion import IngestionClient, IngestionSettings
from atlas.states import State
from demo import datasets, training
from demo.datasets import FIRST_HALF, SECOND_HALF, SOURCES
from demo.errors import DemoError
from demo.processes import Processes, answers, free_port
from demo.ranking import winners
from demo.results import Standing, scores, standings
from demo.screen import DONE, WRONG, Screen
from demo.settings import DemoSettings
from demo.training import TrainedModel
from storage import catalog
from storage.objects import open_store

USER = "demo"
POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the demo keeps its files and where its servers listen."""

    data: Path
    ingestion_port: int
    dashboard_port: int
    webhook_port: int
    webhook_secret: str = field(repr=False)

    @property
    def ingestion(self) -> str:
        """The ingestion engine's address."""
        return f"http://127.0.0.1:{self.ingestion_port}"

    @property
    def dashboard(self) -> str:
        """The dashboard's address."""
        return f"http://127.0.0.1:{self.dashboard_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the processes are told: where they find each other, and to be quick."""
        return {
            "DJANGO_SETTINGS_MODULE": "atlas_web.settings",
            "ATLAS_INGESTION_URL": self.ingestion,
            "ATLAS_INGESTION_PAGES": self.ingestion,
            "ATLAS_DASHBOARD_URL": self.dashboard,
            "ATLAS_POLL_SECONDS": "1",
            "ATLAS_WEBHOOK_ADDRESS": f"127.0.0.1:{self.webhook_port}",
            "ATLAS_WEBHOOKS": f"http://127.0.0.1:{self.webhook_port}{webhooks.PATH}",
            "ATLAS_WEBHOOK_SECRET": self.webhook_secret,
            "ATLAS_GRACE_SECONDS": "5",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",  # the data are small: threads cost more than they bring
        }


class Story:
    """One run of the demo."""

    def __init__(self, screen: Screen, demo_settings: DemoSettings) -> None:
        self._screen = screen
        self._places = Places(
            data=settings.ENVIRONMENT.data_dir,
            ingestion_port=demo_settings.ingestion_port or free_port(),
            dashboard_port=demo_settings.port or free_port(),
            webhook_port=free_port(),
            webhook_secret=secrets.token_urlsafe(),
        )
        self._processes = Processes(self._places.data / "logs", self._places.environment)
        token = IngestionSettings.from_environment().kept_token(self._places.data)
        self._ingestion = IngestionClient(self._places.ingestion, token=token)
        self._deadline = time.monotonic() + demo_settings.minutes * 60

    def run(self, *, once: bool) -> bool:
        """Tell the story, and unless it is told `once`, keep Atlas running until Ctrl-C.

        Returns:
            Whether every benchmark is done.

        Raises:
            AtlasError: the demo cannot go on.
        """
        try:
            finished = self._tell()
            if not once:
                self._stay()
            return finished
        finally:
            self._stop()

    def _tell(self) -> bool:
        self._screen.title("Atlas", "Benchmarks every model on every new version of its dataset, by itself.")
        self._prepare()
        self._start_servers()
        self._start_engine()
        self._bring_data(FIRST_HALF, "first")
        models = self._train()
        self._await_benchmarks(models, "every model on the data so far")
        self._bring_data(SECOND_HALF, "second")
        unfinished = self._await_benchmarks(models, "every model on both versions of its dataset")
        self._screen.winners(winners(scores()))
        return not unfinished

    def _prepare(self) -> None:
        """The tables and a login."""
        with self._screen.step(
            "Preparing the database", f"The database is ready; files and logs are in {self._places.data}"
        ):
            call_command("migrate", verbosity=0, interactive=False)
            ensure_user(USER, self._password())

    def _password(self) -> str:
        return kept_password(self._places.data / "demo-password")

    def _start_servers(self) -> None:
        places, processes = self._places, self._processes
        with self._screen.step("Starting the ingestion engine", f"The ingestion engine runs at {places.ingestion}"):
            processes.start("ingestion engine", "manage.py", "run_ingestion", "--port", str(places.ingestion_port))
            processes.wait_until(lambda: answers(f"{places.ingestion}/healthz"), "The ingestion engine is silent")
        with self._screen.step("Starting the dashboard", f"The dashboard runs at {places.dashboard}"):
            options = ["--bind", f"127.0.0.1:{places.dashboard_port}", "--threads", "4", "--no-control-socket"]
            processes.start("dashboard", "-m", "gunicorn", "atlas_web.wsgi", "--worker-class", "gthread", *options)
            processes.wait_until(lambda: answers(places.dashboard), "The dashboard is silent")

    def _start_engine(self) -> None:
        self._processes.start("benchmark engine", "manage.py", "run_engine")
        self._screen.done("The benchmark engine is started: it hears of new models and new data as they arrive")

    def _bring_data(self, half: int, word: str) -> None:
        """Send one half of every data set, and name the datasets. What is known already changes nothing."""
        titles = ", ".join(source.title for source in SOURCES)
        doing = f"Bringing in the {word} half of the data"
        with (
            self._screen.bar(doing, f"The {word} half of the data is in: {titles}", len(SOURCES)) as bar,
            tempfile.TemporaryDirectory(prefix="atlas-demo-") as folder,
        ):
            for done, source in enumerate(SOURCES):
                bar.show(done, source.title)
                self._ingestion.upload_recording(datasets.write_recording(source, half, Path(folder)))
                self._ingestion.create_tag(source.tag, source.query)

    def _train(self) -> list[TrainedModel]:
        """Train what is not trained yet.

        Raises:
            DemoError: a model cannot be trained.
        """
        store, plans = open_store(settings.ATLAS_OBJECT_STORE), training.plans()
        known = training.trained(plans, store)
        missing = [str(plan.path) for plan in plans if plan.path not in known]
        if not missing:
            self._screen.done(f"All {len(plans)} models are trained already")
            return list(known.values())
        with self._screen.bar(f"Training {len(missing)} models", f"{len(plans)} models are trained", len(plans)) as bar:

            def count() -> None:
                bar.show(len(training.trained(plans, store)))

            if self._processes.run("training engine", "manage.py", "train", *missing, meanwhile=count):
                raise DemoError(f"Not all models could be trained:\n{self._processes.tail('training engine')}")
        return list(training.trained(plans, store).values())

    def _await_benchmarks(self, models: Sequence[TrainedModel], what: str) -> list[Standing]:
        """Wait until nothing is left to do; the benchmarks that are not done then, or when the time is over."""
        tags = [self._ingestion.tag(source.tag) for source in SOURCES]
        found = standings(models, tags)
        with self._screen.bar(f"Benchmarking {len(models)} models", "", len(found)) as bar:
            while not all(standing.ended for standing in found) and time.monotonic() < self._deadline:
                self._processes.check()
                bar.show(sum(standing.ended for standing in found), activity())
                time.sleep(POLL_SECONDS)
                found = standings(models, tags)
            unfinished = [standing for standing in found if standing.state is not State.DONE]
            bar.outcome = f"{len(found) - len(unfinished)} of {len(found)} benchmarks are done: {what}"
            bar.mark = WRONG if unfinished else DONE
        for standing in unfinished:
            self._screen.wrong(str(standing))
        return unfinished

    def _stay(self) -> None:
        self._screen.address(self._places.dashboard, USER, self._password())
        self._screen.say("Atlas goes on running. Ctrl-C stops it.")
        try:
            while True:
                self._processes.check()
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            self._screen.say("")

    def _stop(self) -> None:
        """Stop everything, whoever presses Ctrl-C again meanwhile."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self._processes.stop(lambda title: self._screen.say(f"Stopping the {title}"))
        self._ingestion.close()


def activity() -> str:
    """What the benchmark engine does now."""
    counts = catalog.counts()
    return f"{counts[State.RUNNING]} running, {counts[State.QUEUED]} waiting"


def kept_password(path: Path) -> str:
    """The password in a file that only its owner reads; made on first use."""
    path.touch(mode=0o600)
    if not path.read_text():
        path.write_text(secrets.token_urlsafe(12))
    return path.read_text()


def ensure_user(name: str, password: str) -> None:
    """An administrator with this password."""
    user = User.objects.filter(username=name).first() or User.objects.create_superuser(name, password=password)
    if not user.check_password(password):
        user.set_password(password)
        user.save()
