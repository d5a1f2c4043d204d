"""What a hostile bundle leaves behind is gone before the next benchmark, whose process is another one."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from benchmark_engine.failures import BenchmarkError
from tests import bundles
from tests.benchmark_engine.attacks.conftest import INTACT, Range
from tests.zygotes import running

pytestmark = pytest.mark.system

LOOK = "print('FOUND', sorted(os.listdir('.')), sorted(os.listdir(os.environ['HOME'])))"


def test_files_are_gone_before_the_next_benchmark(range_: Range, hostile: Callable[..., Path]) -> None:
    range_.run(hostile("import tempfile; [open(f, 'w') for f in ('.profile', 'usercustomize.py', 'a')]"))
    own = ["progress.json"]
    assert f"FOUND {own} {own}\n" in range_.run(hostile(LOOK)).output


def test_what_is_changed_in_memory_is_gone_before_the_next_benchmark(
    range_: Range, hostile: Callable[..., Path]
) -> None:
    range_.run(hostile("import builtins, json; builtins.poison = json.loads = os.environ['POISON'] = 'poison'"))
    output = range_.run(hostile("import builtins; print('FOUND', hasattr(builtins, 'poison'), 'POISON' in os.environ)"))
    assert "FOUND False False" in output.output


def test_threads_do_not_outlive_their_benchmark(range_: Range, hostile: Callable[..., Path]) -> None:
    found = range_.run(hostile("threading.Thread(target=time.sleep, args=(600,)).start()"))
    assert found.metrics[0].value == INTACT
    assert running(psutil.Process()) == []


@pytest.mark.parametrize(
    "act",
    [
        "top = os.getcwd()\nfor n in range(80): os.mkdir('d'); os.chdir('d')\nos.chdir(top)",
        "os.symlink('/', 'root'); os.symlink('.', 'loop'); os.symlink('nowhere', 'nothing'); os.mkdir('d\\n\\x01')",
        "open(b'\\xff' * 255, 'w'); os.mkdir(b'\\xfe'); open('-rf', 'w'); open(' ', 'w')",
    ],
)
def test_nothing_is_left_on_the_disk(act: str, range_: Range, hostile: Callable[..., Path]) -> None:
    found = range_.run(hostile(act))
    assert "DONE" in found.output
    assert list(range_.sandbox.base.glob("benchmark-*")) == []


def test_what_nobody_may_open_is_removed_too(range_: Range, hostile: Callable[..., Path]) -> None:
    """Whether the engine is told that it is there depends on who the engine is."""
    act = "os.mkdir('half', 0o500); os.umask(0o777); open('file', 'w'); os.mkdir('closed'); time.sleep(0.1)"
    with suppress(BenchmarkError):
        range_.run(hostile(act))
    assert list(range_.sandbox.base.glob("benchmark-*")) == []


@pytest.mark.parametrize("broken", bundles.BROKEN, ids=lambda broken: broken.what)
def test_a_broken_bundle_leaves_nothing(broken: bundles.Broken, range_: Range, tmp_path: Path) -> None:
    """Zip bombs, ways out of the folder, links, and all others that the contract of bundles knows."""
    bundle = bundles.packed(tmp_path)
    broken.breaks(bundle)
    failure = range_.failure(bundle)
    assert failure.failure_class == "load error"
    assert list(range_.sandbox.base.glob("benchmark-*")) == []
