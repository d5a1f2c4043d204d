"""`python -m tests.backups.ordeal FOLDER`: backs up an Atlas into a folder while it works, is killed while it does so,
and while it restores, and goes on. It reads its settings from the environment, ends with status 0 if nothing was lost,
and prints how often something was killed at work.
"""

import faulthandler
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "ingestion_engine.settings"
django.setup()

from django.core.management import call_command  # noqa: E402 - after the settings
from django.db import connection  # noqa: E402

from atlas.errors import AtlasError  # noqa: E402
from backups import running  # noqa: E402
from backups.folders import Backups  # noqa: E402
from storage.models import DatasetVersion, Model  # noqa: E402
from tests.backups import filled  # noqa: E402

KILLED, ATTEMPTS = 3, 12
PATIENCE_SECONDS = 200
"""After so long it says where it is stuck, and ends."""
MODELS = 40


def main(folder: Path) -> None:
    """Fill, back up, wipe, restore, look."""
    faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True)
    call_command("migrate", verbosity=0)
    stores = running._stores()
    filled.fill(stores, models=MODELS)
    filled.add_recording(stores, folder.parent, "monday")
    with at_work():
        backed_up = often_killed(lambda: running.back_up(folder, None, quiet=True))
        running.back_up(folder, 1, quiet=True)
    running.verify(folder, quiet=True)
    restored = often_killed(lambda: restore(folder))
    restore(folder)
    check(folder)
    sys.stdout.write(f"killed at work: {backed_up} of {KILLED} backups, {restored} of {KILLED} restores\n")


@contextmanager
def at_work() -> Iterator[None]:
    """Models come and go while the block runs, whatever becomes of it."""
    working = started(work)
    try:
        yield
    finally:
        os.kill(working, signal.SIGKILL)
        os.waitpid(working, 0)


def started(job: Callable[[], object]) -> int:
    """A child of this process that does the job, with connections of its own."""
    connection.close()
    child = os.fork()
    if not child:
        _end_with(job)
    return child


def _end_with(job: Callable[[], object]) -> NoReturn:
    status = 1
    try:
        job()
        status = 0
    except Exception:  # noqa: BLE001 - the child's end
        traceback.print_exc()
    finally:
        os._exit(status)


def seconds(job: Callable[[], object]) -> float:
    """How long a job takes that nobody kills."""
    began = time.monotonic()
    job()
    return time.monotonic() - began


def often_killed(job: Callable[[], object]) -> int:
    """Do a job, then again and again until it was killed at work `KILLED` times; how often it was in the end."""
    kills, took = 0, seconds(job)
    for _ in range(ATTEMPTS):
        if killed(job, took):
            kills += 1
        else:
            took /= 2  # it had ended by then
        if kills == KILLED:
            break
    return kills


def killed(job: Callable[[], object], took: float) -> bool:
    """Do a job in a process that is killed within the time that it took before; whether it still worked then."""
    child = started(job)
    time.sleep(random.uniform(0, 0.9 * took))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "a job that was not killed failed"
    return os.WIFSIGNALED(status)


def work() -> None:
    """Models come and go, with their benchmarks, until this process is killed."""
    stores, number = running._stores(), 0
    version = DatasetVersion.objects.get(tag__name="impacts").pk
    while True:
        filled.add_benchmarked(stores, f"Forest-2.0.{number}-1", version)
        filled.delete(stores, Model.objects.order_by("pk").values_list("pk", flat=True)[number % 3])
        number += 1


def restore(folder: Path) -> None:
    """Restore whatever is there."""
    running.restore(folder, None, replace=True, force=True, quiet=True)


def check(folder: Path) -> None:
    """Every object that a row refers to is what it was when it was written, and all rows are there."""
    stores, backup = running._stores(), Backups(folder).at(None)
    assert Model.objects.count() == backup.manifest.rows["storage_model"] > MODELS // 2
    assert filled.unreadable(stores) == []
    with backup.catalog() as catalog:
        keys = {(store, key) for store, key, _ in filled.contents(stores)}
        assert keys == {(each.store, each.key) for each in catalog.entries()}


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except AtlasError as error:
        sys.exit(f"{type(error).__name__}: {error}")
