import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from atlas.ingestion import IngestionClient
from tests.ingestion_engine.engine import COMPONENTS_TOKEN, Api
from tests.ingestion_engine.server import prepared, serving, wait_until

pytestmark = pytest.mark.database

KEPT_BEFORE_A_CRASH = """
import django, pathlib, sys
django.setup()
from django.utils import timezone
from ingestion_engine import versions
from ingestion_engine.api import object_store
from ingestion_engine.receiving import receive
versions.create_tag("all", "", now=timezone.now())
receive(object_store(), pathlib.Path(sys.argv[1]), name="monday", now=timezone.now())
"""


@pytest.mark.system
def test_the_engine_makes_at_its_start_what_a_crash_left_undone(tmp_path: Path) -> None:
    path = tmp_path / "monday.csv"
    path.write_text("label\ndent\n")
    with prepared(tmp_path) as environment:
        settings = {"DJANGO_SETTINGS_MODULE": "ingestion_engine.settings"}
        root = Path(__file__).resolve().parents[2]
        command = [sys.executable, "-c", KEPT_BEFORE_A_CRASH, str(path)]
        subprocess.run(command, env={**environment, **settings}, check=True, cwd=root)
        with serving(environment) as url:
            client = IngestionClient(url, token=COMPONENTS_TOKEN)
            wait_until(lambda: [version.rows for version in client.tag("all").versions] == [1])
            client.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prepared(tmp_path_factory.mktemp("engine")) as environment, serving(environment) as address:
        yield address


@pytest.mark.system
def test_many_recordings_at_once_lose_no_event_and_no_version_number(url: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"r{number}.csv" for number in range(12)]
    for number, path in enumerate(paths):
        path.write_text(f"label,speed,only{number}\ndent,1,2\nnone,2,3\n")
    client = IngestionClient(url, token=COMPONENTS_TOKEN)
    client.create_tag("all")
    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(client.upload_recording, [*paths, *paths]))
    wait_until(lambda: [version.rows for version in client.tag("all").versions[-1:]] == [24])
    tag = client.tag("all")
    client.close()
    assert len({receipt.name for receipt in receipts}) == 12
    assert [version.number for version in tag.versions] == list(range(1, len(tag.versions) + 1))


def test_the_documentation_page_needs_nothing_from_elsewhere(api: Api) -> None:
    api.client.force_login(User.objects.create_user("ilse"))
    addresses = re.findall(r'(?:src|href)="([^"]+)"', api.client.get("/api/v1/docs").content.decode())
    assert len(addresses) >= 3
    for address in addresses:
        with closing(api.client.get(address)) as answer:
            assert (answer.status_code, address[:8]) == (200, "/static/")
