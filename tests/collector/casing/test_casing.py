"""The casing as `make case` builds it passes its checks, and a size that cannot be right fails the check for it."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-casing/bin/python"

pytestmark = pytest.mark.system

BROKEN = [
    pytest.param({"casing": {"partition": 0.4}}, {"walls"}, id="partitions of 0.4 mm"),
    pytest.param({"gas_sensor": {"length": 22.8}}, {"boards fit"}, id="a board 5 mm too wide"),
    pytest.param({"casing": {"sound_hole": 1.0}}, {"sound path"}, id="microphones half covered"),
    pytest.param({"casing": {"play": 0.8}}, {"parts fit"}, id="parts that rattle"),
    pytest.param({"printer": {"bridge": 10}}, {"overhangs"}, id="a printer that bridges less"),
]


def build(folder: Path, sizes: object) -> tuple[int, list[str]]:
    """The exit code and the lines of the checks."""
    file = folder / "sizes.yaml"
    file.write_text(json.dumps(sizes))
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "collector.casing",
        folder / "casing",
        "--sizes",
        file,
        "--picture",
        folder / "casing.png",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def test_the_casing_passes_and_is_written_for_printers_and_programs(tmp_path: Path) -> None:
    code, lines = build(tmp_path, {})
    assert code == 0, lines
    assert not [line for line in lines if line.startswith("FAIL")]
    names = {"base", "deck", "cover", "lid", "bracket", "clamp-1", "clamp-2", "clamp-3", "clamp-4"}
    for kind in ("stl", "step"):
        assert {path.stem for path in (tmp_path / "casing").glob(f"*.{kind}")} == names
    assert (tmp_path / "casing.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("sizes", "checks"), BROKEN)
def test_a_size_that_cannot_be_right_fails_its_check_alone(tmp_path: Path, sizes: object, checks: set[str]) -> None:
    code, lines = build(tmp_path, sizes)
    failed = {line[5:19].strip() for line in lines if line.startswith("FAIL")}
    assert (code, failed) == (1, checks), lines


def test_a_size_that_does_not_exist_is_named(tmp_path: Path) -> None:
    file = tmp_path / "sizes.yaml"
    file.write_text("casing: {wal: 3}")
    command: list[str | Path] = [PYTHON, "-m", "collector.casing", tmp_path / "casing", "--sizes", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "casing.wal" in done.stderr
