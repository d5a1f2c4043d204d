"""What a process without pages answers to those who watch it."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from atlas.errors import SettingsError
from benchmark_engine import watched
from benchmark_engine.watched import Pulse, Watch, Watched

TOKEN = "a-token-of-the-test"


@pytest.fixture
def pulse() -> Pulse:
    return Pulse()


@pytest.fixture
def url(pulse: Pulse, tmp_path: Path) -> Iterator[str]:
    with Watch("127.0.0.1:0", Watched(pulse, TOKEN, {"cache": tmp_path})) as watch:
        yield f"http://127.0.0.1:{watch.port}"


def test_a_process_whose_loops_go_round_is_well_and_one_with_a_stuck_loop_says_which(
    url: str, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert httpx.get(f"{url}/healthz").text == "ok\n"
    pulse.beat("the queue")
    pulse.beat("the schedules")
    assert httpx.get(f"{url}/healthz").status_code == 200
    later = time.monotonic() + 90
    monkeypatch.setattr(watched, "time", type("Later", (), {"monotonic": staticmethod(lambda: later)}))
    pulse.beat("the schedules")
    answer = httpx.get(f"{url}/healthz")
    assert (answer.status_code, answer.text) == (503, "No sign of life from: the queue (90 s).\n")


def test_metrics_are_for_those_who_have_the_token(url: str) -> None:
    answers = [
        httpx.get(f"{url}/metrics", headers=headers)
        for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": f"Bearer {TOKEN}"})
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 200]
    assert 'atlas_engine_disk_free_bytes{folder="cache"}' in answers[-1].text
    assert httpx.get(f"{url}/elsewhere").status_code == 404


def test_without_a_token_whoever_reaches_the_address_may_read_them(pulse: Pulse) -> None:
    with Watch("127.0.0.1:0", Watched(pulse)) as watch:
        assert httpx.get(f"http://127.0.0.1:{watch.port}/metrics").status_code == 200


def test_without_an_address_nothing_is_answered(pulse: Pulse) -> None:
    with Watch("", Watched(pulse)) as watch:
        assert watch.port == 0


def test_an_address_that_cannot_be_had_is_an_error_that_names_the_setting(pulse: Pulse) -> None:
    with pytest.raises(SettingsError, match=r"ATLAS_METRICS_ADDRESS: cannot listen at 127\.0\.0\.1:99999"):
        Watch("127.0.0.1:99999", Watched(pulse))
