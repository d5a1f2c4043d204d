"""Who may read `/metrics`, and what several processes that count together show there."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TOKEN = "a-token-of-the-test"


@pytest.fixture
def token(settings: Settings) -> str:
    settings.ATLAS_METRICS_TOKEN = TOKEN
    return TOKEN


@pytest.mark.parametrize("given", ["", f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer é"])
def test_who_has_not_the_token_finds_nothing(client: Client, token: str, given: str) -> None:
    headers = {"Authorization": given} if given else {}
    assert client.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize("given", ["Bearer ", "Bearer"])
def test_without_a_token_nobody_finds_anything(client: Client, settings: Settings, given: str) -> None:
    settings.ATLAS_METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": given}).status_code == 404


def shown(client: Client) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return answer.content.decode()


def test_who_has_it_reads_what_was_counted_and_what_is_in_the_database(client: Client, token: str) -> None:
    client.get("/login/")
    metrics = shown(client)
    assert 'atlas_http_requests_total{method="GET",status="2xx",view="login"}' in metrics
    assert 'atlas_benchmarks{state="queued"} 0.0' in metrics


def test_processes_that_share_a_folder_count_together(
    client: Client, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    count = "from telemetry.requests import REQUESTS; REQUESTS.labels('GET', 'home', '2xx').inc()"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], check=True, cwd=Path(__file__).parents[2])
    assert 'atlas_http_requests_total{method="GET",status="2xx",view="home"} 2.0' in shown(client)
