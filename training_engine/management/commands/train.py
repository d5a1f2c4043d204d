"""`manage.py train`: from configuration files to bundles in the object store."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from atlas.errors import AtlasError
from atlas.ingestion import IngestionSettings
from atlas.logs import configure
from training_engine import command, watching
from training_engine.errors import UntrainedError
from training_engine.screen import Screen


class Command(BaseCommand):
    """Trains the model of each file and stores its bundle, where the benchmark engine finds it."""

    help = "Train models and put their bundles into the object store, where they are found and benchmarked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Those of the training engine."""
        command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command with the settings of the servers."""
        chosen = command.Options.of(options)
        started = watching.watch if chosen.watch else command.run
        try:
            configure("training")
            source = IngestionSettings.from_environment()
            started(
                chosen,
                ingestion_url=source.ingestion_url,
                ingestion_token=source.kept_token(settings.ENVIRONMENT.data_dir),
                object_store=str(settings.ATLAS_OBJECT_STORE),
                screen=Screen(self.stdout),  # type: ignore[arg-type]
            )
        except UntrainedError as error:
            raise CommandError(str(error), returncode=error.status) from error
        except AtlasError as error:
            raise CommandError(str(error)) from error
