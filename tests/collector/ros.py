"""The collector as Debian's ROS runs it: its messages are built, and scripts run with Debian's Python."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "collector"
PYTHON = "/usr/bin/python3"
_PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin"  # catkin shall find Debian's Python, and no other


def built(workspace: Path) -> dict[str, str]:
    """Builds the package in a new catkin workspace; returns the environment in which it is found.

    Skips the test where ROS is not installed.
    """
    if not shutil.which("catkin_make", path=_PROGRAMS):
        pytest.skip("ROS is not installed: apt-get install catkin ros-message-generation python3-rosbag …")
    (workspace / "src").mkdir(parents=True)
    (workspace / "src/atlas_collector").symlink_to(PACKAGE)
    environment = {"PATH": _PROGRAMS, "LANG": "C.UTF-8", "HOME": os.environ["HOME"], "PYTHONDONTWRITEBYTECODE": "1"}
    make = ["catkin_make", f"-DPYTHON_EXECUTABLE={PYTHON}", "atlas_collector_generate_messages_py"]
    done = subprocess.run(make, cwd=workspace, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    modules = workspace / "devel/lib/python3/dist-packages"
    return environment | {"PYTHONPATH": str(modules), "ROS_PACKAGE_PATH": f"{PACKAGE.parent}:/usr/share"}
