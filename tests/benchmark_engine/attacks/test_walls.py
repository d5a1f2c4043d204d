"""The walls themselves: what is recorded of them, and what happens on a machine that lacks one."""

import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from typer.testing import CliRunner

from atlas.states import FailureClass
from benchmark_engine.sandbox import privileges, seccomp
from benchmark_engine.sandbox.check import app
from benchmark_engine.sandbox.landlock import CREATE_RULESET
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.layers import REQUIRED, Layer
from tests.benchmark_engine.attacks.conftest import Range
from tests.benchmark_engine.conftest import packed
from tests.zygotes import family, wait_for_one, zygotes

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[3]
T = TypeVar("T")


def on_a_kernel_without_landlock(act: Callable[[], T]) -> T:
    """Call it in a thread for which, and for whose processes, the kernel knows no Landlock."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_hide_landlock).result()
        return thread.submit(act).result()


def _hide_landlock() -> None:
    machine = seccomp.MACHINES[platform.machine()]
    known = seccomp.Machine(
        audit_number=machine.audit_number, numbers={**machine.numbers, "landlock_create_ruleset": CREATE_RULESET}
    )
    hidden = iter([seccomp.Rule("landlock_create_ruleset", seccomp.refused(38))])
    privileges.gain_nothing()
    seccomp.load(seccomp.assembled(known, hidden, otherwise=seccomp.ALLOW), known)


@pytest.fixture
def without_landlock(range_: Range) -> Iterator[Callable[[bool], Range]]:
    """Sandboxes on a machine without Landlock, trusting bundles or not."""
    opened: list[Sandbox] = []

    def make(trusted: bool) -> Range:
        opened.append(Sandbox(trusted=trusted))
        on_a_kernel_without_landlock(opened[-1].__enter__)
        return Range(opened[-1], range_.data)

    yield make
    for sandbox in opened:
        sandbox.close()


def test_a_result_says_which_layers_held(range_: Range, tmp_path: Path) -> None:
    layers = set(range_.run(packed(tmp_path)).provenance.sandbox)
    assert layers >= REQUIRED
    assert Layer.NO_CAPABILITIES in layers


def test_a_machine_without_a_required_layer_refuses_bundles(
    without_landlock: Callable[[bool], Range], tmp_path: Path, hostile: Callable[..., Path]
) -> None:
    failure = without_landlock(False).failure(hostile("print('hostile code ran')", "Landmine"))
    assert failure.failure_class is FailureClass.SANDBOX_UNAVAILABLE
    assert "missing: Landlock: files (Function not implemented)" in failure.reason
    assert "ATLAS_TRUST_BUNDLES" in failure.reason
    assert failure.output == ""


def test_an_administrator_may_trust_bundles_on_such_a_machine(
    without_landlock: Callable[[bool], Range], tmp_path: Path
) -> None:
    layers = set(without_landlock(True).run(packed(tmp_path)).provenance.sandbox)
    assert Layer.LANDLOCK_FILES not in layers
    assert Layer.SECCOMP in layers


def test_the_check_shows_every_layer_and_keeps_every_promise() -> None:
    found = CliRunner().invoke(app, ["--json"])
    report = json.loads(found.stdout)
    assert [layer["name"] for layer in report["layers"]] == list(Layer)
    assert {layer["name"] for layer in report["layers"] if layer["required"]} == REQUIRED
    assert [probe for probe in report["probes"] if not probe["contained"]] == []
    assert (found.exit_code, report["sound"]) == (0, True)


def test_the_check_fails_where_a_required_layer_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_BUBBLEWRAP", "off")
    found = on_a_kernel_without_landlock(lambda: CliRunner().invoke(app))
    assert re.search("Landlock: files +MISSING +Function not implemented", found.stdout)
    assert re.search("no files of the system +BROKEN +it was possible", found.stdout)
    assert re.search("no network +holds", found.stdout)
    assert "the engine refuses them" in found.stdout
    assert found.exit_code == 1


def test_a_child_ends_with_its_zygote(range_: Range, hostile: Callable[..., Path]) -> None:
    """And the benchmark is one that another try can help."""
    with Sandbox() as sandbox, ThreadPoolExecutor(1) as thread:
        running = thread.submit(Range(sandbox, range_.data).failure, hostile("time.sleep(600)"))
        child = wait_for_one(psutil.Process())
        zygotes(psutil.Process())[-1].kill()
        assert running.result().failure_class is FailureClass.LOST_WORKER
        child.wait(timeout=30)


def test_an_engine_that_is_killed_leaves_nothing(range_: Range, hostile: Callable[..., Path], tmp_path: Path) -> None:
    """Its zygote ends what runs, and removes what it was run on."""
    program = (
        "import sys, threading; from pathlib import Path; from benchmark_engine import runner; from tests import jobs\n"
        "from benchmark_engine.sandbox.launcher import Sandbox; from benchmark_engine.sandbox.limits import Limits\n"
        "job = jobs.job_of(*map(Path, sys.argv[1:]), limits=Limits())\n"
        "with Sandbox(readable=[Path(sys.argv[3])]) as sandbox: runner.run(job, sandbox, threading.Event())"
    )
    arguments = [sys.executable, "-c", program, str(hostile("time.sleep(600)")), str(range_.data)]
    arguments.append(str(tmp_path / "job"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    engine = psutil.Popen(arguments, cwd=ROOT, env={**os.environ, "TMPDIR": str(temporary)})
    wait_for_one(engine)
    begun = family(engine)
    engine.kill()
    engine.wait()
    for process in begun:
        process.wait(timeout=30)
    assert list(temporary.iterdir()) == []
