"""What a child says of its progress is only shown, and only if it is well-formed."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from atlas.results import Progress
from atlas.states import FailureClass, Phase
from benchmark_engine import runner
from benchmark_engine.failures import named_failures
from benchmark_engine.sandbox import launcher
from benchmark_engine.sandbox.limits import ExplanationBudget
from tests import jobs
from tests.benchmark_engine.attacks.conftest import INTACT, TIGHT, Canary, Range

pytestmark = pytest.mark.system

WRITE = "open('progress.json', 'w').write({!r}); time.sleep(1)"
FORGED = {
    "a text that is none": WRITE.format("forged"),
    "half a document": WRITE.format('{{"phase": "predicting", "done": 7'),
    "a phase that there is not": WRITE.format('{{"phase": "done"}}'),
    "a field that there is not": WRITE.format('{{"phase": "loading", "state": "done"}}'),
    "fewer rows than none": WRITE.format('{{"phase": "predicting", "done": -7, "total": 40}}'),
    "more rows than a table holds": WRITE.format('{{"phase": "predicting", "done": 7' + "0" * 40 + "}}"),
    "rows that are no number": WRITE.format('{{"phase": "predicting", "done": NaN}}'),
    "a document without end": "open('progress.json', 'w').write('[' * 10**6); time.sleep(1)",
    "a file without end": "open('progress.json', 'w').truncate(1 << 22); time.sleep(1)",
    "another's file": "os.remove('progress.json'); os.symlink('{canary}', 'progress.json'); time.sleep(1)",
    "nothing": "os.remove('progress.json'); time.sleep(1)",
}


def told(range_: Range, bundle: Path, folder: Path) -> list[Progress]:
    """The reports of a benchmark that has its result all the same."""
    reports: list[Progress] = []
    with named_failures():
        job = jobs.job_of(bundle, range_.data, folder, limits=TIGHT, explained=ExplanationBudget(rows=0))
        found = runner.run(job, range_.sandbox, threading.Event(), report=reports.append)
    assert found.metrics[0].value == INTACT
    return reports


@pytest.mark.parametrize("act", FORGED.values(), ids=FORGED)
def test_what_is_no_report_is_not_passed_on(
    act: str, range_: Range, hostile: Callable[..., Path], canary: Canary
) -> None:
    with range_.sandbox.workspace() as folders:
        reports = told(range_, hostile(act.format(canary=canary.path)), folders.folder / "job")
    assert all(report.done in {0, 40} and report.phase in Phase for report in reports)
    assert canary.secret not in str(reports)
    assert canary.is_unharmed


def test_who_makes_its_own_report_impossible_has_crashed(range_: Range, hostile: Callable[..., Path]) -> None:
    failure = range_.failure(hostile("os.remove('progress.json'); os.mkdir('progress.json')"))
    assert failure.failure_class is FailureClass.CRASH


def test_a_lie_is_a_lie_about_itself_only(range_: Range, hostile: Callable[..., Path]) -> None:
    act = """open('progress.json', 'w').write('{"phase": "predicting", "done": 39, "total": 3}'); time.sleep(1)"""
    with range_.sandbox.workspace() as folders:
        reports = told(range_, hostile(act), folders.folder / "job")
    assert Progress(phase=Phase.PREDICTING, done=39, total=3) in reports


def test_a_flood_of_reports_is_passed_on_now_and_then(range_: Range, hostile: Callable[..., Path]) -> None:
    act = (
        "import json\nend = time.monotonic() + 2\nn = 0\n"
        "while time.monotonic() < end:\n"
        "  n += 1; open('p', 'w').write(json.dumps({'phase': 'predicting', 'done': n}))\n"
        "  os.rename('p', 'progress.json')"
    )
    began = time.monotonic()
    with range_.sandbox.workspace() as folders:
        reports = told(range_, hostile(act), folders.folder / "job")
    looks = (time.monotonic() - began) / launcher.REPORT_SECONDS
    assert 1 <= len([report for report in reports if report.phase is Phase.PREDICTING]) <= looks + 1
