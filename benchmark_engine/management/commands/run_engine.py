"""`manage.py run_engine`: the benchmark engine."""

import os
import threading
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from atlas import tracing
from atlas.errors import AtlasError
from atlas.ingestion import IngestionClient
from atlas.logs import configure
from benchmark_engine.cache import Cache
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Dispatcher
from benchmark_engine.executors import watchers
from benchmark_engine.inferences import Inferences
from benchmark_engine.places import opened_inferrer, opened_place
from benchmark_engine.sandbox.base import Base
from benchmark_engine.sandbox.privileges import seal
from benchmark_engine.scheduler import Scheduler
from benchmark_engine.settings import EngineSettings
from benchmark_engine.stopping import stopped_by_signals
from benchmark_engine.sweeper import Sweeper
from benchmark_engine.watched import Pulse, Watch, Watched
from storage import starting
from storage.objects import open_store

MOST_AT_A_TIME = 1024


class Command(BaseCommand):
    """Looks for models and dataset versions and benchmarks them, until it is told to stop."""

    help = "Benchmark every model on every new version of its dataset, until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal comes; what runs then is finished or given back to the queue."""
        stopped = stopped_by_signals()
        try:
            configure("engine")
            tracing.start("engine")
            engine_settings = EngineSettings.from_environment()
            starting.check()
            self._run(engine_settings, stopped)
        except AtlasError as error:
            raise CommandError(str(error)) from error

    def _run(self, engine_settings: EngineSettings, stopped: threading.Event) -> None:
        seal()
        with ExitStack() as stack:
            scratch = stack.enter_context(closing(Base()))
            connector = self._connector(engine_settings, scratch.path)
            pulse = Pulse()
            folders = {"cache": connector.cache.folder, "scratch": scratch.path}
            watched = Watched(pulse, settings.ATLAS_METRICS_TOKEN, folders)
            stack.enter_context(Watch(engine_settings.metrics_address, watched))
            place = stack.enter_context(opened_place(engine_settings, connector))
            infer = stack.enter_context(opened_inferrer(engine_settings, connector, place))
            executor = stack.enter_context(watchers(MOST_AT_A_TIME))
            sweeper = Sweeper(connector)
            engine = f"{engine_settings.engine_name}-{os.getpid()}"
            dispatcher = Dispatcher(
                connector,
                executor,
                engine_settings,
                engine=engine,
                run=place.run,
                capacity=place,
                discard=sweeper.discard,
                pulse=pulse,
            )
            scheduler = Scheduler(connector, dispatcher, sweeper, engine_settings, pulse)
            inferences = Inferences(connector, engine_settings, engine=engine, infer=infer)
            scheduler.start()
            inferences.start()
            self.stdout.write(f"Engine {engine_settings.engine_name}: {place.worker_count} benchmarks at a time.")
            stopped.wait()
            self.stdout.write("Stopping: what runs is finished or given back to the queue.")
            inferences.close()
            scheduler.stop()

    @staticmethod
    def _connector(engine_settings: EngineSettings, scratch: Path) -> Connector:
        data_dir = settings.ENVIRONMENT.data_dir
        return Connector(
            objects=open_store(settings.ATLAS_OBJECT_STORE),
            ingestion=IngestionClient(engine_settings.ingestion_url, token=engine_settings.kept_token(data_dir)),
            cache=Cache(
                engine_settings.cache_dir or data_dir / "cache",
                max_bytes=engine_settings.cache_mb << 20,
            ),
            scratch=scratch,
        )
