"""`python -m training_engine CONFIG.yaml`: trains without a server's settings; all it needs is in the environment."""

import sys
from argparse import ArgumentParser

from atlas.errors import AtlasError
from training_engine import watching
from training_engine.command import FAILED, Options, add_arguments, run
from training_engine.errors import UntrainedError
from training_engine.screen import Screen
from training_engine.settings import TrainingSettings

INTERRUPTED = 130


def main() -> int:
    """The exit status."""
    parser = ArgumentParser(prog="python -m training_engine", description="Train models and send their bundles.")
    add_arguments(parser)
    options, screen = Options.of(parser.parse_args()), Screen()
    try:
        settings = TrainingSettings.from_environment()
        started = watching.watch if options.watch else run
        return started(
            options,
            ingestion_url=settings.ingestion_url,
            ingestion_token=settings.kept_token(settings.data_dir),
            object_store=settings.objects(),
            screen=screen,
        )
    except UntrainedError as error:
        screen.say(str(error))
        return error.status
    except AtlasError as error:
        screen.failed(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
