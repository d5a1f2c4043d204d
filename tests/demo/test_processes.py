"""Processes that are started, watched and stopped: none is forgotten."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from demo.errors import DemoError
from demo.processes import Processes, answers, free_port

SLEEP = ("-c", "import time; print('awake', flush=True); time.sleep(600)")
KILLED_DEMO = """
import pathlib, time
from demo.processes import Processes
started = Processes(pathlib.Path({logs!r}), {{}}).start("sleeper", "-c", "import time; time.sleep(600)")
print(started.child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path / "logs", {"ATLAS_TEST_WORD": "hello"})
    yield made
    made.stop(lambda title: None)


def patiently(condition: Callable[[], object]) -> bool:
    """Whether a condition comes to hold."""
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def test_a_process_that_ends_by_itself_is_told_with_the_end_of_its_log(processes: Processes) -> None:
    dying = processes.start("dashboard", "-c", "import sys; print('no such port'); sys.exit(3)")
    dying.child.wait(20)
    with pytest.raises(DemoError, match=r"The dashboard ended by itself with status 3(?s:.*)no such port"):
        processes.check()


def test_waiting_ends_when_a_process_dies(processes: Processes) -> None:
    processes.start("engine", "-c", "raise SystemExit(1)")
    with pytest.raises(DemoError, match="The engine ended by itself"):
        processes.wait_until(lambda: False, "The engine is silent")


def test_waiting_ends_some_time(processes: Processes) -> None:
    processes.start("engine", *SLEEP)
    with pytest.raises(DemoError, match="The engine is silent after 0 seconds"):
        processes.wait_until(lambda: False, "The engine is silent", seconds=0.1)


def test_a_process_gets_the_environment_and_keeps_a_log(processes: Processes, tmp_path: Path) -> None:
    status = processes.run("one word", "-c", "import os; print(os.environ['ATLAS_TEST_WORD'])", meanwhile=list)
    assert status == 0
    assert (tmp_path / "logs" / "one-word.log").read_text() == "hello\n"
    assert processes.tail("one word") == "hello"


def test_a_command_that_fails_tells_its_status(processes: Processes) -> None:
    assert processes.run("training", "-c", "raise SystemExit(4)", meanwhile=list) == 4


def test_a_command_is_ended_when_its_caller_is_interrupted(processes: Processes, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    command = f"import os, time, pathlib; pathlib.Path({str(marker)!r}).write_text(str(os.getpid())); time.sleep(600)"

    def interrupt_when_running() -> None:
        if marker.exists() and marker.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processes.run("training", "-c", command, meanwhile=interrupt_when_running)
    assert not psutil.pid_exists(int(marker.read_text()))


def test_processes_are_stopped_in_the_opposite_order(processes: Processes) -> None:
    started = [processes.start(title, *SLEEP) for title in ("first", "second")]
    told: list[str] = []
    processes.stop(told.append)
    assert told == ["second", "first"]
    assert all(running.child.poll() is not None for running in started)
    processes.check()


def test_ctrl_c_in_the_terminal_does_not_reach_the_processes(processes: Processes) -> None:
    started = processes.start("engine", *SLEEP)
    assert os.getpgid(started.child.pid) != os.getpgid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_nothing_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    script = KILLED_DEMO.format(logs=str(tmp_path))
    demo = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        child = int(demo.stdout.readline())
        assert patiently(lambda: _is_tied(child))
    finally:
        demo.kill()
        demo.communicate()
    assert patiently(lambda: not psutil.pid_exists(child))


def _is_tied(child: int) -> bool:
    """Whether the process has become the command: the tie is made by then. While it becomes it, it has no words."""
    words = psutil.Process(child).cmdline()
    return "demo.tether" not in words and any("sleep(600)" in word for word in words)


def test_a_free_port_has_nobody_who_answers() -> None:
    assert not answers(f"http://127.0.0.1:{free_port()}")
