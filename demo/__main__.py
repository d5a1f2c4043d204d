"""`python -m demo [--once]`: what `make demo` runs."""

import argparse
import os
import signal
import sys
from typing import NoReturn

import django

from atlas.errors import AtlasError
from demo.screen import Screen
from demo.settings import DemoSettings


def main() -> int:
    """The exit status: 0, 1 if something failed, 130 if it was interrupted before the end."""
    parser = argparse.ArgumentParser(prog="make demo", description="Run all of Atlas on this machine, with real data.")
    parser.add_argument("--once", action="store_true", help="end after the table; status 0 only if all is benchmarked")
    once = parser.parse_args().once
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    screen = Screen()
    try:
        finished = _run(screen, once=once)
    except AtlasError as error:
        screen.wrong(str(error))
        return 1
    except KeyboardInterrupt:
        screen.say("Stopped. The next run goes on from here.")
        return 130
    return int(once and not finished)


def _run(screen: Screen, *, once: bool) -> bool:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
    django.setup()  # before the import: tables need it
    from demo.story import Story

    return Story(screen, DemoSettings.from_environment()).run(once=once)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
