"""Serves the ingestion engine."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand

ROOT = Path(__file__).resolve().parents[3]


class Command(BaseCommand):
    help = "Serves the data ingestion engine with gunicorn until SIGTERM or Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8100, help="port to listen on (default: %(default)s)")
        parser.add_argument("--threads", type=int, default=8, help="requests served at once (default: %(default)s)")

    def handle(self, *, host: str, port: int, threads: int, **_options: object) -> None:
        """Becomes gunicorn: the engine has Django settings of its own, which cannot change within a process."""
        command = [sys.executable, "-m", "gunicorn", "--config", "python:ingestion_engine.gunicorn_config"]
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "ingestion_engine.settings", "PYTHONPATH": path}
        os.execve(  # noqa: S606
            sys.executable, [*command, "--bind", f"{host}:{port}", "--threads", str(threads)], environment
        )
