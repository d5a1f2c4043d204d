"""What a model is given, it is given to read: it can change nothing of it, and finds no way out from it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmark_engine import runner
from benchmark_engine.failures import named_failures
from benchmark_engine.sandbox.limits import ExplanationBudget
from tests import jobs
from tests.benchmark_engine.attacks.conftest import INTACT, TIGHT, Canary, Range

pytestmark = pytest.mark.system

DESCRIPTORS = (
    "bundle, rows = (int(os.path.basename(os.readlink('../inputs/' + n))) for n in ('bundle', 'features.arrow'))\n"
    "there = f'/proc/self/fd/{{rows}}'\n"
)
CHANGES = {
    "write to the rows": "os.write(rows, b'poison')",
    "write at a place of the rows": "os.pwrite(rows, b'poison', 8)",
    "cut the rows off": "os.ftruncate(rows, 0)",
    "cut the rows off by their path": "os.truncate(there, 0)",
    "open the rows to write": "os.open(there, os.O_RDWR)",
    "open the rows anew and cut them off": "os.open(there, os.O_RDONLY | os.O_TRUNC)",
    "map the rows to write": "import mmap; mmap.mmap(rows, 0, prot=mmap.PROT_READ | mmap.PROT_WRITE)",
    "reserve space in the rows": "os.posix_fallocate(rows, 0, 1 << 20)",
    "copy into the rows": "open('x', 'wb').write(b'poison'); os.copy_file_range(os.open('x', 0), rows, 6)",
    "have a name for the rows": "os.link(there, 'mine', follow_symlinks=True)",
    "append to a member": "open('../inputs/bundle/code/hostile.py', 'a').write('poison')",
    "add a member": "os.open('poison.py', os.O_CREAT | os.O_WRONLY, dir_fd=bundle)",
    "add a folder": "os.mkdir('poison', dir_fd=bundle)",
    "remove a member": "os.unlink('model.joblib', dir_fd=bundle)",
    "rename a member": "os.rename('model.joblib', 'poison', src_dir_fd=bundle, dst_dir_fd=bundle)",
    "move a member out": "os.rename('model.joblib', 'mine', src_dir_fd=bundle)",
    "put another bundle in its place": "os.unlink('../inputs/bundle'); os.symlink('/', '../inputs/bundle')",
}
WAYS_OUT = {
    "open the folder that it is in": "os.listdir(os.open('..', os.O_RDONLY, dir_fd=bundle))",
    "list the folder that it is in": "print(os.listdir(f'/proc/self/fd/{{bundle}}/..'))",
    "climb to the root": "print(os.listdir(os.open('../' * 20, os.O_RDONLY, dir_fd=bundle)))",
    "climb to another's file": "print(open(os.open('../' * 20 + '{canary}', os.O_RDONLY, dir_fd=bundle)).read())",
    "write to another's file from there": "os.open('../' * 20 + '{canary}', os.O_WRONLY, dir_fd=bundle)",
    "go there and climb": (
        "home = os.getcwd(); os.fchdir(bundle); os.chdir('..')\ntry: print(os.listdir('.'))\nfinally: os.chdir(home)"
    ),
    "look for what else is open": "[os.read(n, 1) for n in range(3, 512) if n not in (bundle, rows) and os.fstat(n)]",
}
PRETENDED = {
    "close the rows to all": "os.fchmod(rows, 0)",
    "close the bundle to all": "os.chmod(f'/proc/self/fd/{{bundle}}', 0)",
    "make a member old": "os.utime('model.joblib', (0, 0), dir_fd=bundle)",
}


@dataclass(frozen=True)
class Given:
    """Runs a bundle on files that stay where they are."""

    range: Range
    folder: Path

    def output(self, bundle: Path) -> str:
        """What it prints; the files that it was given must be what they were."""
        job = jobs.job_of(bundle, self.range.data, self.folder, limits=TIGHT, explained=ExplanationBudget(rows=5))
        before = self._state()
        with named_failures():
            found = runner.run(job, self.range.sandbox, threading.Event())
        assert self._state() == before
        assert found.metrics[0].value == INTACT
        return found.output

    def _state(self) -> dict[str, tuple[int, int, bytes]]:
        found = {}
        for path in self.folder.rglob("*"):
            status = path.stat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (status.st_mode, status.st_mtime_ns, content)
        return found


@pytest.fixture
def given(range_: Range) -> Iterator[Given]:
    """Files in the sandbox's folder, where children reach them."""
    with range_.sandbox.workspace() as folders:
        yield Given(range_, folders.folder / "given")


@pytest.mark.parametrize("act", CHANGES.values(), ids=CHANGES)
def test_nothing_that_is_given_can_be_changed(act: str, given: Given, hostile: Callable[..., Path]) -> None:
    assert "REFUSED" in given.output(hostile((DESCRIPTORS + act).format()))


@pytest.mark.parametrize("act", WAYS_OUT.values(), ids=WAYS_OUT)
def test_what_is_given_is_no_way_out(act: str, given: Given, hostile: Callable[..., Path], canary: Canary) -> None:
    output = given.output(hostile((DESCRIPTORS + act).format(canary=canary.path)))
    assert "REFUSED" in output
    assert canary.secret not in output
    assert canary.is_unharmed


@pytest.mark.parametrize("act", PRETENDED.values(), ids=PRETENDED)
def test_what_is_pretended_changes_nothing_that_is_given(act: str, given: Given, hostile: Callable[..., Path]) -> None:
    assert "DONE" in given.output(hostile((DESCRIPTORS + act).format()))
