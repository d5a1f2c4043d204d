"""bubblewrap round children where it runs, and what is said where it does not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from benchmark_engine.sandbox.bubblewrap import BubblewrapError, Wrapped, wrapper
from benchmark_engine.sandbox.check import app
from benchmark_engine.sandbox.launcher import Sandbox, environment
from benchmark_engine.sandbox.layers import Bubblewrap, Layer
from benchmark_engine.sandbox.probes import NO_NAMES

ROOT = Path(__file__).parents[3]
ENVIRONMENT = environment(Path("/"), 1)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The folder that a zygote may write to."""
    folder = tmp_path / "base"
    folder.mkdir()
    return folder


@pytest.fixture
def runs_here(base: Path) -> None:
    """Leave a test out where bubblewrap does not run."""
    if reason := wrapper(Bubblewrap.AUTO, [base], ENVIRONMENT).missing:
        pytest.skip(f"bubblewrap does not run here: {reason}")


@pytest.fixture
def not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the program."""
    monkeypatch.setenv("PATH", "/nowhere")


def checked() -> dict[str, dict[str, object]]:
    """What `atlas sandbox-check` says of layers and promises, by name."""
    report = json.loads(CliRunner().invoke(app, ["--json"]).stdout)
    layers = {layer["name"]: layer for layer in report["layers"]}
    return layers | {probe["promise"]: probe for probe in report["probes"]} | {"sound": report["sound"]}


def printed(base: Path, program: str, readable: tuple[Path, ...] = ()) -> str:
    """What a shell script writes into a file of the base folder's, inside."""
    command = wrapper(Bubblewrap.REQUIRED, [base], ENVIRONMENT, readable)
    written = f"import sys; sys.stdout = open({str(base / 'out')!r}, 'w')\n{program}"
    started = Wrapped(command, [sys.executable, "-c", written], environment=environment(base, 1), pass_fds=[])
    while not started.has_ended:
        continue
    started.end()
    return (base / "out").read_text().strip()


@pytest.mark.usefixtures("runs_here")
def test_inside_there_are_only_the_names_that_are_needed(base: Path, tmp_path: Path) -> None:
    given, hidden = tmp_path / "given", tmp_path / "hidden"
    for folder in (given, hidden):
        folder.mkdir()
        (folder / "file").touch()
    program = f"import os; print([os.path.exists(p) for p in {[str(given / 'file'), str(hidden), '/etc/passwd']}])"
    assert printed(base, program, (given,)) == "[True, False, False]"


@pytest.mark.usefixtures("runs_here")
def test_inside_only_the_base_folder_can_be_written_to(base: Path, tmp_path: Path) -> None:
    program = (
        "import os, errno\n"
        f"for folder in ({str(base)!r}, {str(tmp_path)!r}, '/', os.path.dirname(os.__file__)):\n"
        "  try: open(folder + '/new', 'w'); print('written')\n"
        "  except OSError as error: print(errno.errorcode[error.errno])"
    )
    assert printed(base, program, (tmp_path,)).split() == ["written", "EROFS", "EROFS", "EROFS"]


@pytest.mark.usefixtures("runs_here")
def test_inside_there_is_no_other_process_and_no_network(base: Path) -> None:
    program = "import os, socket; print([n for n in os.listdir('/proc') if n.isdigit()], socket.if_nameindex())"
    processes, _, interfaces = printed(base, program).partition("] ")
    assert len(processes.split(",")) == 2
    assert interfaces == "[(1, 'lo')]"


@pytest.mark.system
@pytest.mark.usefixtures("runs_here")
def test_the_check_shows_that_it_holds_and_that_it_hides_names() -> None:
    found = checked()
    assert found[Layer.NAMESPACES]["holds"]
    assert found[NO_NAMES]["contained"]


@pytest.mark.system
@pytest.mark.parametrize("wanted", ["auto", "off"])
@pytest.mark.usefixtures("not_installed")
def test_without_it_the_check_says_why_and_promises_nothing_of_names(
    wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATLAS_BUBBLEWRAP", wanted)
    found = checked()
    reasons = {"auto": "the program bwrap is not installed", "off": "ATLAS_BUBBLEWRAP is off"}
    assert (found[Layer.NAMESPACES]["holds"], found[Layer.NAMESPACES]["detail"]) == (False, reasons[wanted])
    assert NO_NAMES not in found
    assert found["sound"]


@pytest.mark.system
@pytest.mark.usefixtures("not_installed")
def test_where_it_is_required_and_missing_the_check_fails_and_no_engine_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ATLAS_BUBBLEWRAP", "required")
    found = checked()
    assert found[Layer.NAMESPACES]["required"]
    assert not found["sound"]
    command = [sys.executable, str(ROOT / "manage.py"), "run_engine"]
    away = {"DATABASE_URL": "postgresql://atlas@127.0.0.1:1/atlas"}  # which an engine would wait for
    settings = {**os.environ, **away, "ATLAS_DATA_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}
    engine = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert "bubblewrap does not run here: the program bwrap is not installed" in engine.stderr
    assert "Traceback" not in engine.stderr
    assert list(tmp_path.glob("atlas-sandbox-*")) == []


def test_a_kernel_that_refuses_namespaces_is_named_as_the_reason(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "bin" / "bwrap"
    refusing.parent.mkdir()
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{refusing.parent}:{os.environ['PATH']}")
    assert "No permissions to create new namespace" in wrapper(Bubblewrap.AUTO, [base], ENVIRONMENT).missing
    with pytest.raises(BubblewrapError, match="No permissions"):
        Sandbox(bubblewrap=Bubblewrap.REQUIRED)


@pytest.fixture(autouse=True)
def _no_children_are_left() -> Iterator[None]:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    yield
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
