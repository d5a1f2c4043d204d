import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_django import Settings

from ingestion_engine.turns import turn

ELSEWHERE = """
import sys
from django.conf import settings
settings.configure(ATLAS_INGESTION_TURNS=sys.argv[1])
from ingestion_engine.turns import turn
with turn("all"):
    print("begun", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def elsewhere(settings: Settings) -> "subprocess.Popen[str]":
    """Another process, whose turn it is until its input ends."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", ELSEWHERE, settings.ATLAS_INGESTION_TURNS]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout and process.stdout.readline() == "begun\n"
    return process


def test_a_turn_begins_when_that_of_another_process_has_ended(elsewhere: "subprocess.Popen[str]") -> None:
    order = []

    def wait() -> None:
        with turn("all"):
            order.append("mine")

    with elsewhere, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        with turn("another"):
            order.append("another's")
        assert not waiting.done()
        order.append("theirs")
        elsewhere.communicate()
        waiting.result()
    assert order == ["another's", "theirs", "mine"]


def test_the_turn_of_a_process_that_is_killed_ends(elsewhere: "subprocess.Popen[str]") -> None:
    with elsewhere:
        elsewhere.kill()
        elsewhere.wait()
        with turn("all"):
            assert elsewhere.returncode == -9
