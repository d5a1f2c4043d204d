"""`manage.py run_engine`: the benchmark engine."""

import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from atlas.errors import AtlasError
from atlas.ingestion import IngestionClient
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Dispatcher
from benchmark_engine.executors import local_executor
from benchmark_engine.scheduler import Scheduler
from benchmark_engine.settings import EngineSettings
from storage.objects import open_store


class Command(BaseCommand):
    """Looks for models and dataset versions and benchmarks them, until it is told to stop."""

    help = "Benchmark every model on every new version of its dataset, until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal comes; what runs then is finished or given back to the queue."""
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        try:
            engine_settings = EngineSettings.from_environment()
            scheduler = self._scheduler(engine_settings)
        except AtlasError as error:
            raise CommandError(str(error)) from error
        scheduler.start()
        self.stdout.write(f"Engine {engine_settings.engine_name}: {engine_settings.worker_count} benchmarks at a time.")
        stopped.wait()
        self.stdout.write("Stopping: what runs is finished or given back to the queue.")
        scheduler.stop()

    @staticmethod
    def _scheduler(engine_settings: EngineSettings) -> Scheduler:
        connector = Connector(
            objects=open_store(settings.ATLAS_OBJECT_STORE),
            ingestion=IngestionClient(engine_settings.ingestion_url),
            cache=engine_settings.cache_dir or settings.ENVIRONMENT.data_dir / "cache",
        )
        executor = local_executor(engine_settings.worker_count)
        name = f"{engine_settings.engine_name}-{os.getpid()}"
        return Scheduler(connector, Dispatcher(connector, executor, engine_settings, engine=name), engine_settings)
