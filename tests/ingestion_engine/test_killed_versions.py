"""A process that makes versions is killed at any moment: nothing is there by half, and the next one makes it whole."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ingestion_engine.server import prepared

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[2]
KILLS = 12
WORK = """
import django, sys
django.setup()
from datetime import timedelta
from django.utils import timezone
from ingestion_engine import versions
from ingestion_engine.places import object_store
from tests.ingestion_engine.tables import entered
store, now, number = object_store(), timezone.now(), sys.argv[1]
versions.create_tag("all", "", now=now)
if number != "check":
    ids = [str(each) for each in range(200)]
    entered(store, f"r{number}", {"id": ids, "label": ["x"] * 200, "sound": [[0.5] * 500] * 200}, now=now)
print("begun", flush=True)
versions.refresh_all(store, now=now)
if number == "check":
    from ingestion_engine.models import Recording, Version
    rows = []
    for version in Version.objects.order_by("number"):
        dataset = versions.dataset(version.query_id)
        for file in dataset.splits.values():
            assert store.stat(versions.split_key(file.sha256)).size_bytes == file.size_bytes
        versions.remake(version, store)
        rows.append(version.rows)
    assert rows == sorted(set(rows)) and rows[-1] == 200 * Recording.objects.count(), rows
print("done", flush=True)
"""


def test_a_version_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    chance = random.Random(6)
    with prepared(tmp_path) as environment:
        environment = {**environment, "DJANGO_SETTINGS_MODULE": "ingestion_engine.settings", "PYTHONPATH": str(ROOT)}
        for number in range(KILLS):
            _kill_at_some_moment(environment, str(number), chance.uniform(0, 0.4))
        command = [sys.executable, "-c", WORK, "check"]
        assert "done" in subprocess.check_output(command, env=environment, cwd=ROOT, text=True)


def _kill_at_some_moment(environment: dict[str, str], number: str, seconds: float) -> None:
    command = [sys.executable, "-c", WORK, number]
    with subprocess.Popen(command, env={**os.environ, **environment}, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        process.kill()
