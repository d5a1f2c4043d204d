"""All attacks again: on an engine of an ordinary user's, and on one of root's whose children are users of their own;
without bubblewrap, which stands round those that this user runs, where it can.

Where Python itself lies in a folder that only root can enter, a mount namespace puts an open folder in its place.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark_engine.sandbox.launcher import compiled_code

ROOT = Path(__file__).parents[3]
ORDINARY_USER = 65_534
pytestmark = [
    pytest.mark.system(minutes=10),
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; the other tests ran as this one"),
]


def closed_folders() -> set[Path]:
    """The folders on the way to Python that only root can enter."""
    ways = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)}
    return {parent for way in ways for parent in way.parents if parent.stat().st_mode & 0o001 == 0}


def opened() -> str:
    """A shell script that puts Python where it was, with open folders on the way to it."""
    lines = ["set -e", "kept=$(mktemp -d)"]
    for closed in sorted(closed_folders()):
        inside = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)}
        for number, prefix in enumerate(sorted(path for path in inside if path.is_relative_to(closed))):
            kept = f'"$kept"/{number}'
            lines += [
                f"mkdir {kept}",
                f"mount --bind {shlex.quote(str(prefix))} {kept}",
                f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(closed))}",
                f"mkdir -p {shlex.quote(str(prefix))}",
                f"mount --move {kept} {shlex.quote(str(prefix))}",
            ]
    return "\n".join([*lines, 'rm -r "$kept"', 'exec "$@"'])


def with_compiled_code(cache: Path, user: int) -> None:
    """Give a user what numba has compiled for this one: each zygote would take half a minute to compile it anew."""
    if (own := compiled_code()) is not None:
        shutil.copytree(own, cache / "atlas" / "compiled")
    for path in (cache, *cache.rglob("*")):
        os.chown(path, user, user)


def attacks(folder: Path, user: int, bubblewrap: str) -> subprocess.CompletedProcess[str]:
    """Run all other tests of this folder as a user."""
    cache = folder / "cache"
    cache.mkdir()
    with_compiled_code(cache, user)
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"] if user else []
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile"]
    tests += ["-m", "system", "--ignore", __file__]
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", opened(), "sh", *become, *tests, str(Path(__file__).parent)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "XDG_CACHE_HOME": str(cache),
            "ATLAS_DATA_DIR": str(folder),
            "ATLAS_BUBBLEWRAP": bubblewrap,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("user", "bubblewrap"),
    [
        pytest.param(ORDINARY_USER, "off", id="an ordinary user"),
        pytest.param(0, "off", id="root, with users to give"),
    ],
)
def test_all_attacks_are_contained_for(user: int, bubblewrap: str, open_folder: Path) -> None:
    ran = attacks(open_folder, user, bubblewrap)
    assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr
    assert " passed" in ran.stdout


def test_a_child_of_root_s_engine_is_a_user_of_its_own() -> None:
    """Or the attacks above would have been tried as root twice."""
    program = "from benchmark_engine.sandbox.check import app; app()"
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", opened(), "sh", sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "own user                        holds" in ran.stdout, ran.stdout + ran.stderr
    assert ran.returncode == 0
