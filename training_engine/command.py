"""`manage.py train` and `python -m training_engine`: from configuration files to bundles."""

import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from atlas.client import AtlasClient
from atlas.errors import AtlasError
from atlas.ingestion import IngestionClient
from storage.objects import open_store
from training_engine.config import TrainingConfiguration, load
from training_engine.destinations import DashboardDestination, Destination, FolderDestination, StoreDestination
from training_engine.errors import ConfigurationError, UntrainedError
from training_engine.screen import Screen
from training_engine.stages import Stage
from training_engine.trainer import TrainedModel, train

DONE, FAILED, TRY_LATER = 0, 1, 75
"""Exit statuses: all models are trained; one is not; none is wrong, but another try is needed (EX_TEMPFAIL)."""
PATTERNS = ("*.yaml", "*.yml")
EVERY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command was told."""

    configurations: tuple[Path, ...]
    query_id: str | None = None
    output: Path | None = None
    push: bool = False
    dry_run: bool = False
    watch: bool = False
    every: float = EVERY_SECONDS

    @classmethod
    def of(cls, parsed: Namespace | dict[str, object]) -> "Options":
        """The options among parsed arguments."""
        given = parsed if isinstance(parsed, dict) else vars(parsed)
        known = {name: given[name] for name in cls.__dataclass_fields__ if given.get(name) is not None}
        return cls(**{**known, "configurations": tuple(known["configurations"])})  # type: ignore[arg-type]

    def check(self) -> None:
        """See that the options go together.

        Raises:
            ConfigurationError: they do not.
        """
        if self.watch and (self.query_id or self.dry_run):
            raise ConfigurationError("--watch trains on each new version: leave out --query-id and --dry-run.")
        if self.output and self.push:
            raise ConfigurationError("Give --output or --push: with --output nothing is sent.")
        if self.every < 1:
            raise ConfigurationError("--every is at least 1 second.")


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("configurations", nargs="+", type=Path, metavar="CONFIG.yaml|FOLDER")
    parser.add_argument("--query-id", help="the dataset version to train on (default: the newest of the tag)")
    where = "write bundles to this folder, and send them nowhere"
    parser.add_argument("--output", type=Path, metavar="FOLDER", help=where)
    push = "send bundles to the dashboard (ATLAS_URL, ATLAS_TOKEN) instead of the object store"
    parser.add_argument("--push", action="store_true", help=push)
    parser.add_argument("--dry-run", action="store_true", help="check the configurations, and train nothing")
    parser.add_argument("--watch", action="store_true", help="train again whenever the dataset has a new version")
    every = f"how often new versions and files are looked for (default: {EVERY_SECONDS:g})"
    parser.add_argument("--every", type=float, default=EVERY_SECONDS, metavar="SECONDS", help=every)


def run(options: Options, *, ingestion_url: str, ingestion_token: str, object_store: str, screen: Screen) -> int:
    """Check all files first; then one that cannot be trained does not keep the others from it.

    Returns:
        The exit status.

    Raises:
        UntrainedError: some models could not be trained; why was printed.
        AtlasError: a file or an option is wrong; nothing was trained then.
    """
    options.check()
    paths = files_of(options.configurations)
    configurations = _loaded(paths)
    if options.dry_run:
        for path in paths:
            screen.done(f"{path} is right.")
        return DONE
    with (
        destination(options, object_store) as where,
        closing(IngestionClient(ingestion_url, token=ingestion_token)) as ingestion,
    ):
        statuses = [_trained(each, ingestion, where, options.query_id, screen) for each in configurations]
    failed = [status for status in statuses if status != DONE]
    if failed:
        raise UntrainedError(f"{len(failed)} of {len(statuses)} models were not trained.", min(failed))
    return DONE


def files_of(given: tuple[Path, ...]) -> list[Path]:
    """The files that are given, and those in folders that are given.

    Raises:
        ConfigurationError: a folder has none.
    """
    found: list[Path] = []
    for path in given:
        within = sorted({file for pattern in PATTERNS for file in path.glob(pattern)}) if path.is_dir() else [path]
        if not within:
            raise ConfigurationError(f"{path}: there is no file that ends in .yaml or .yml.")
        found += within
    return list(dict.fromkeys(found))


def _loaded(paths: list[Path]) -> list[TrainingConfiguration]:
    """All configurations.

    Raises:
        ConfigurationError: some are wrong; the message names all that is.
    """
    found, problems = [], []
    for path in paths:
        try:
            found.append(load(path))
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return found


@contextmanager
def destination(options: Options, object_store: str) -> Iterator[Destination]:
    """Where the options say that bundles go."""
    if options.output:
        yield FolderDestination(options.output)
    elif options.push:
        with AtlasClient.from_environment() as client:
            yield DashboardDestination(client)
    else:
        yield StoreDestination(open_store(object_store))


def _trained(
    configuration: TrainingConfiguration,
    ingestion: IngestionClient,
    where: Destination,
    query_id: str | None,
    screen: Screen,
) -> int:
    """The exit status of one training; the reason is printed if it failed."""
    try:
        with (
            screen.training(configuration.name) as progress,
            tempfile.TemporaryDirectory(prefix="atlas-bundle-") as folder,
        ):
            model = train(configuration, ingestion, Path(folder), query_id=query_id, progress=progress)
            progress(Stage.PUSHING, 0, 0)
            where.take(model, partial(progress, Stage.PUSHING))
    except AtlasError as error:
        screen.failed(f"{configuration.name}: {error}")
        return TRY_LATER if error.retry_helps else FAILED
    screen.done(_summary(model))
    return DONE


def _summary(model: TrainedModel) -> str:
    dataset = model.dataset
    return (
        f"{model.path.stem}: {model.rows:,} rows of {dataset.tag} version {dataset.number}, "
        f"{model.features} features, {model.seconds:.1f} s"
    )
