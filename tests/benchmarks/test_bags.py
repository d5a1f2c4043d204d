"""Reading bags, measured in a small way: the figures say nothing here, but that they can be had."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bags import KINDS, ROS_PYTHON, by_atlas, made
from benchmarks.scripts import ROOT


def has_rosbag() -> bool:
    return subprocess.run([ROS_PYTHON, "-P", "-c", "import rosbag"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", KINDS)
def test_a_bag_is_made_once_and_read_whole(name: str, tmp_path: Path) -> None:
    path = made(KINDS[name], tmp_path / "a" / "b.bag", 1 << 20)
    written = path.stat().st_mtime_ns
    assert by_atlas(path).messages * len(KINDS[name].content(0)) >= 1 << 20
    assert made(KINDS[name], path, 1 << 20).stat().st_mtime_ns == written
    assert [each.name for each in path.parent.iterdir()] == ["b.bag"]


@pytest.mark.system
@pytest.mark.skipif(not has_rosbag(), reason="ROS is not installed here")
def test_all_figures_are_printed_as_one_object(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.bags", "--json", "--quick", "--rounds", "1"]
    environment = {**os.environ, "ATLAS_DATA_DIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    assert {"small_messages_vs_rosbag", "large_messages_vs_rosbag"} <= figures.keys()
    assert all(value > 0 for value in figures.values())
