"""The tutorial does what it says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.installation import ROOT, Installation

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
BENCHMARKS = """
    SELECT v.number, b.state, (SELECT count(*) FROM storage_metric WHERE benchmark_id = b.id AND value > 0.5)
    FROM storage_benchmark b JOIN storage_datasetversion v ON v.id = b.dataset_version_id ORDER BY v.number
"""


def test_each_step_of_the_tutorial_works(
    install: Callable[..., Installation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = install()
    installation.start_ingestion()
    installation.start("run_engine")
    monkeypatch.chdir(tmp_path)
    *steps, second_drive = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
    assert len(steps) == 4
    session: dict[str, object] = {}
    for step in steps:
        exec(_here(step, installation), session)
    installation.wait_for(lambda: installation.rows(BENCHMARKS) == [(1, "done", 3)], "the first benchmark")
    exec(_here(second_drive, installation), session)
    both = [(1, "done", 3), (2, "done", 3)]
    installation.wait_for(lambda: installation.rows(BENCHMARKS) == both, "the second benchmark")
    session["ingestion"].close()  # type: ignore[attr-defined]


def _here(step: str, installation: Installation) -> str:
    """The step with this installation's addresses in the place of the demo's."""
    return step.replace("http://127.0.0.1:8100", installation.environment["ATLAS_INGESTION_URL"]).replace(
        ".data/objects", installation.environment["ATLAS_OBJECT_STORE"]
    )
