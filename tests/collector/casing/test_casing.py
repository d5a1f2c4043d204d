"""The casing as `make case` builds it passes its checks, and a size that cannot be right fails the check for it."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-casing/bin/python"

pytestmark = pytest.mark.system

BROKEN = {
    "partitions of 0.4 mm": ({"casing": {"partition": 0.4}}, ["walls"]),
    "a board 20 mm too wide": ({"gas_sensor": {"length": 37.8}}, ["boards fit"]),
    "microphones half covered": ({"casing": {"sound_hole": 1.0}}, ["sound path"]),
    "a board too tall for its level": ({"raspberry_pi": {"above": 30}}, ["boards fit"]),
    "parts that rattle": ({"casing": {"play": 0.8}}, ["parts fit"]),
    "a printer that bridges less": ({"printer": {"bridge": 10}}, ["overhangs"]),
}


def run(*arguments: str | Path, told: str = "") -> "subprocess.CompletedProcess[str]":
    """What a program of the casing's own environment says and returns."""
    command = [PYTHON, "-W", "error", "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, input=told, capture_output=True, text=True, check=False)


def test_the_casing_passes_and_is_written_for_printers_and_programs(tmp_path: Path) -> None:
    done = run("collector.casing", tmp_path / "casing", "--picture", tmp_path / "casing.png")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert {line[:4] for line in lines[:-1]} == {"ok  "}
    assert lines[-1].endswith("9 parts, 0 checks failed")
    names = {"base", "deck", "cover", "lid", "bracket", "clamp-1", "clamp-2", "clamp-3", "clamp-4"}
    for kind in ("stl", "step"):
        assert {path.stem for path in (tmp_path / "casing").glob(f"*.{kind}")} == names
    assert (tmp_path / "casing.png").read_bytes().startswith(b"\x89PNG")


def test_a_size_that_cannot_be_right_fails_its_check_alone(tmp_path: Path) -> None:
    told = json.dumps({name: sizes for name, (sizes, _) in BROKEN.items()})
    done = run("tests.collector.casing.cases", tmp_path, told=told)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {name: checks for name, (_, checks) in BROKEN.items()}


def test_a_size_that_does_not_exist_is_named(tmp_path: Path) -> None:
    file = tmp_path / "sizes.yaml"
    file.write_text("casing: {wal: 3}")
    done = run("collector.casing", tmp_path / "casing", "--sizes", file)
    assert done.returncode == 2
    assert "casing.wal" in done.stderr
