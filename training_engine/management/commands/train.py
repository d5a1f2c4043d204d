"""`manage.py train`: from configuration files to bundles in the object store."""

import tempfile
from argparse import ArgumentParser
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape

from atlas.errors import AtlasError
from atlas.ingestion import IngestionClient, IngestionSettings
from storage.objects import ObjectStore, open_store
from training_engine.config import TrainingConfiguration, load
from training_engine.trainer import TrainedModel, train


class Command(BaseCommand):
    """Trains the model of each file and stores its bundle, where the benchmark engine finds it."""

    help = "Train models and put their bundles into the object store, where they are found and benchmarked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The files, and the dataset version if it is not the newest."""
        parser.add_argument("configurations", nargs="+", type=Path, metavar="CONFIG.yaml")
        parser.add_argument("--query-id", help="the dataset version to train on (default: the newest of the tag)")

    def handle(self, *args: Any, configurations: list[Path], query_id: str | None, **options: Any) -> None:
        """Check all files first; then one that cannot be trained does not keep the others from it."""
        try:
            loaded = [load(path) for path in configurations]
            ingestion_url = IngestionSettings.from_environment().ingestion_url
            store = open_store(settings.ATLAS_OBJECT_STORE)
        except AtlasError as error:
            raise CommandError(str(error)) from error
        console = Console(file=self.stdout, highlight=False, soft_wrap=True)  # type: ignore[arg-type]
        with closing(IngestionClient(ingestion_url)) as ingestion:
            done = [_trained(configuration, ingestion, store, query_id, console) for configuration in loaded]
        if not all(done):
            raise CommandError(f"{done.count(False)} of {len(done)} models were not trained.")


def _trained(
    configuration: TrainingConfiguration,
    ingestion: IngestionClient,
    store: ObjectStore,
    query_id: str | None,
    console: Console,
) -> bool:
    """Whether the model was trained and stored; the reason is printed if not."""
    try:
        with (
            _working(console, f"Training {configuration.name} on {configuration.dataset}"),
            tempfile.TemporaryDirectory(prefix="atlas-bundle-") as folder,
        ):
            model = train(configuration, ingestion, Path(folder), query_id=query_id)
            store.put(f"models/{model.path.name}", model.path)
    except AtlasError as error:
        console.print(f"[red]✗[/] {configuration.name}: {escape(str(error))}")
        return False
    console.print(f"[green]✓[/] {_summary(model)}")
    return True


def _working(console: Console, text: str) -> AbstractContextManager[object]:
    """Something that moves, on a terminal; a log file has no use for it."""
    return console.status(text) if console.is_terminal else nullcontext()


def _summary(model: TrainedModel) -> str:
    dataset = model.dataset
    return (
        f"{model.path.stem}: {model.rows:,} rows of {dataset.tag} version {dataset.number}, "
        f"{model.features} features, {model.seconds:.1f} s"
    )
