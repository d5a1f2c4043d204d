"""gunicorn's hooks and log, shared by what it serves: its workers count together, in files of one temporary folder.

It is loaded by gunicorn's own process, before there are settings of Django's, and loads no metrics itself: the library
decides how it counts when it is loaded.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from atlas.errors import SettingsError
from atlas.logs import LogSettings, configuration

Settings_ = TypeVar("Settings_")

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
ACCESS_LINE = '%(h)s "%(r)s" %(s)s %(B)s %(M)sms'
"""What the access log says: who asked for what, the status, bytes, and the time. The id is added to every line."""


class SharedCounts:
    """The folder of this gunicorn's counts, empty when it starts and gone when it ends.

    It is no `TemporaryDirectory`: each worker that ends would remove it, being a copy of the process that made it.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None

    def start(self, _server: object) -> None:
        """Make the folder; all processes that are started from now on find it."""
        self._folder = Path(tempfile.mkdtemp(prefix="atlas-metrics-"))
        os.environ[FOLDER] = str(self._folder)

    def stop(self, _server: object) -> None:
        """Remove it."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def check_start(settings_module: str) -> None:
    """Ask in a process of its own whether this one may begin, such that its workers share nothing of Django's.

    It ends this process if not; why is said there.
    """
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings_module}
    status = subprocess.run([sys.executable, "-m", "storage.starting"], env=environment, check=False).returncode
    if status:
        sys.exit(status)


def or_end(read: Callable[[], Settings_]) -> Settings_:
    """What `read` gives; if a setting is wrong, the process ends with the one line that names it."""
    try:
        return read()
    except SettingsError as error:
        sys.exit(str(error))


def log_configuration(component: str) -> dict[str, Any]:
    """The `logconfig_dict` of gunicorn, so that its lines look like Django's; a wrong variable ends the process."""
    return configuration(or_end(LogSettings.from_environment), component)
