"""The newest kept release's installation goes on with the code that is here."""

import uuid
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.installation import Installation
from tests.migrated import new_database
from tests.upgrade import kept

pytestmark = pytest.mark.system

AGAIN = """
from django.utils import timezone
from storage import records
from storage.models import Benchmark
records.resume()
records.run_again(Benchmark.objects.filter(state="done").latest("pk").pk, now=timezone.now())
"""
RESULTS = """
    SELECT m.benchmark_id, m.name, m.value FROM storage_metric m JOIN storage_benchmark b ON b.id = m.benchmark_id
    WHERE b.state = 'done' ORDER BY m.benchmark_id, m.name
"""
BENCHMARKS = "SELECT id, state FROM storage_benchmark ORDER BY id"
WAITING = "SELECT 1 FROM storage_benchmark WHERE state IN ('queued', 'running')"


def test_what_an_earlier_release_benchmarked_can_be_benchmarked_again(tmp_path: Path, postgres_url: str) -> None:
    release = kept.RELEASES[-1]
    kept.put_objects(release, tmp_path)
    url = kept.put_postgresql(release, new_database(postgres_url, f"upgraded_{uuid.uuid4().hex}"))
    with closing(Installation(tmp_path, database_url=url, object_store=str(tmp_path / "objects"))) as upgraded:
        upgraded.start_ingestion()
        results, ended = upgraded.rows(RESULTS), upgraded.rows(BENCHMARKS)
        upgraded.manage("shell", "-c", AGAIN)
        upgraded.start("run_engine", explained_rows=0, workers=1)
        upgraded.wait_for(lambda: not upgraded.rows(WAITING), "benchmarks to be run again")
        waited = {pk for pk, state in ended if state == "queued"}
        again = [row for row in upgraded.rows(RESULTS) if row[0] not in waited]
        assert [row[:2] for row in again] == [row[:2] for row in results]
        assert [row[2] for row in again] == pytest.approx([row[2] for row in results])
