"""What hostile bundles try is refused inside their process, and their benchmark goes on as if they had not tried."""

import os
import platform
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmark_engine.attacks.conftest import INTACT, Canary, Range

pytestmark = pytest.mark.system

NETWORK = {
    "connect to a server": "socket.create_connection(('127.0.0.1', {port}), timeout=1)",
    "be a server": "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()",
    "send a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'secret', ('127.0.0.1', {port}))",
    "look up a name": "socket.getaddrinfo('example.org', 443)",
    "fetch a page": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=1)",
    "talk to the kernel's network": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "make raw packets": "socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)",
    "connect to a local socket": "socket.socket(socket.AF_UNIX).connect('{folder}/socket')",
    "connect to an abstract socket": "socket.socket(socket.AF_UNIX).connect('\\0hidden')",
    "send from a pair of sockets": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
}
FILES = {
    "read the list of users": "print(open('/etc/passwd').read())",
    "read another's file": "print(open('{canary}').read())",
    "write another's file": "open('{canary}', 'w').write('owned')",
    "append to another's file": "open('{canary}', 'a').write('owned')",
    "cut another's file off": "os.truncate('{canary}', 0)",
    "cut it off while opening it": "os.open('{canary}', os.O_RDONLY | os.O_TRUNC)",
    "remove another's file": "os.unlink('{canary}')",
    "steal another's file": "os.rename('{canary}', 'mine')",
    "link to another's file": "os.link('{canary}', 'mine'); print(open('mine').read())",
    "read through a symbolic link": "os.symlink('{canary}', 'mine'); print(open('mine').read())",
    "read through the root of a process": "print(open('/proc/self/root{canary}').read())",
    "make a file beside another's": "open('{folder}/new', 'w')",
    "make a device": "os.mknod('memory', 0o600 | 0o020000, os.makedev(1, 1)); open('memory', 'rb').read(1)",
    "make a named pipe": "os.mkfifo('pipe')",
    "look at other benchmarks": "print(os.listdir('../..'))",
    "change its own bundle": "open('../inputs/bundle/code/hostile.py', 'a').write('poison')",
    "change its features": "open('../inputs/features.arrow', 'r+b').write(b'poison')",
    "change a library": "import sklearn; open(sklearn.__file__, 'a').write('poison')",
    "leave a library behind": "import sklearn; open(os.path.dirname(sklearn.__file__) + '/poison.py', 'w')",
    "write to shared memory": "open('/dev/shm/poison', 'w').write('poison')",
    "use a terminal": "open('/dev/tty')",
    "read the memory of the machine": "open('/dev/mem', 'rb').read(1)",
    "set an extended attribute": "os.setxattr('{canary}', 'user.owned', b'yes')",
    "change the root folder": "os.chroot('.')",
}
PROCESSES = {
    "fork": "os.fork() or os._exit(0)",
    "fork for ever": "while True: os.fork()",
    "start a program": "import subprocess; subprocess.run(['true'])",
    "start a shell": "import subprocess; subprocess.check_call('true', shell=True)",
    "spawn a program": "os.posix_spawn('/bin/true', ['true'], {{}})",
    "become another program": "os.execv('/bin/true', ['true'])",
    "start a process of multiprocessing": "import multiprocessing as m; m.Process(target=print).start()",
    "end itself as if from outside": "os.kill(os.getpid(), signal.SIGKILL)",
    "end a thread of its own as if from outside": "signal.pthread_kill(threading.get_ident(), signal.SIGKILL)",
    "kill the engine": "os.kill({engine}, signal.SIGKILL)",
    "stop the zygote": "os.kill(os.getppid(), signal.SIGSTOP)",
    "kill everything": "os.kill(-1, signal.SIGKILL)",
    "kill its group": "os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)",
    "kill by a file descriptor": "signal.pidfd_send_signal(os.pidfd_open({engine}), signal.SIGKILL)",
    "read the engine's environment": "print(open('/proc/{engine}/environ', 'rb').read())",
    "read the engine's memory": "open('/proc/{engine}/mem', 'rb').read(1)",
    "read the zygote's memory": "open('/proc/%d/mem' % os.getppid(), 'rb').read(1)",
    "read the engine's command line": "print(open('/proc/{engine}/cmdline').read())",
    "list all processes": "print(os.listdir('/proc'))",
    "limit the engine": "import resource; resource.prlimit({engine}, resource.RLIMIT_CPU, (1, 1))",
    "raise its limits": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "bind the engine to a core": "os.sched_setaffinity({engine}, {{0}})",
    "slow the engine down": "os.setpriority(os.PRIO_PROCESS, {engine}, 19)",
    "become root": "os.setresuid(0, 0, 0)",
    "join another group": "os.setgroups([0])",
}
SYSTEM_CALLS = {
    "trace the zygote": "call(101, 16, os.getppid(), 0, 0)",
    "read the zygote's memory by a call": "call(310, os.getppid(), 0, 0, 0, 0, 0)",
    "keep memory beyond its end": "call(29, 0x41544c, 1 << 20, 0o1777)",
    "have memory that no limit counts": "call(319, id(b'memory'), 0)",
    "queue calls past the filter": "call(425, 8, 0)",
    "program the kernel": "call(321, 0, 0, 0)",
    "keep keys": "call(248, 0, 0, 0, 0, 0)",
    "measure the machine": "call(298, 0, 0, -1, -1, 0)",
    "handle page faults": "call(323, 0)",
    "have a user namespace": "call(272, 0x10000000)",
    "end itself by a timer": "call(222, 0, id(X), id(X))",
    "mount": "call(165, 0, 0, 0, 0, 0)",
    "open a file by its handle": "call(304, -100, 0, 0)",
    "have threads with files of their own": "call(56, 0x00010000 | 0x800 | 0x100, 0, 0, 0, 0)",
    "outlive the zygote": "call(157, 1, 0, 0, 0, 0)",
    "hide its memory": "call(157, 4, 0, 0, 0, 0)",
    "replace the filter": "call(317, 1, 0, 0)",
    "smuggle open files": "call(46, 1, 0, 0)",
    "change the clock": "call(164, 0, 0)",
    "restart the machine": "call(169, 0xfee1dead, 672274793, 0x4321fedc, 0)",
}
NOT_ON_THIS_PROCESSOR = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of calls are x86-64's")


@pytest.mark.parametrize("act", NETWORK.values(), ids=NETWORK)
def test_nothing_reaches_the_network(act: str, range_: Range, hostile: Callable[..., Path], open_folder: Path) -> None:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_UNIX) as local:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
        local.bind(str(open_folder / "socket"))
        (open_folder / "socket").chmod(0o777)
        for listener in (tcp, local):
            listener.listen()
        found = range_.run(hostile(act.format(port=tcp.getsockname()[1], folder=open_folder)))
        for one, call in ((tcp, tcp.accept), (local, local.accept), (udp, lambda: udp.recv(1))):
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                call()
    assert "REFUSED" in found.output
    assert found.metrics[0].value == INTACT


@pytest.mark.parametrize("act", FILES.values(), ids=FILES)
def test_no_file_outside_can_be_touched(act: str, range_: Range, hostile: Callable[..., Path], canary: Canary) -> None:
    found = range_.run(hostile(act.format(canary=canary.path, folder=canary.path.parent)))
    assert "REFUSED" in found.output
    assert canary.secret not in found.output
    assert canary.is_unharmed
    assert found.metrics[0].value == INTACT


@pytest.mark.parametrize("act", ["os.chmod('{canary}', 0o777)", "os.utime('{canary}', (0, 0))"])
def test_what_is_pretended_to_go_well_does_nothing(
    act: str, range_: Range, hostile: Callable[..., Path], canary: Canary
) -> None:
    before = canary.path.stat().st_mtime_ns
    assert "DONE" in range_.run(hostile(act.format(canary=canary.path))).output
    assert canary.is_unharmed
    assert canary.path.stat().st_mtime_ns == before


@pytest.mark.parametrize("act", PROCESSES.values(), ids=PROCESSES)
def test_no_process_can_be_started_or_harmed(act: str, range_: Range, hostile: Callable[..., Path]) -> None:
    found = range_.run(hostile(act.format(engine=os.getpid())))
    assert "REFUSED" in found.output
    assert found.metrics[0].value == INTACT


@NOT_ON_THIS_PROCESSOR
@pytest.mark.parametrize("act", SYSTEM_CALLS.values(), ids=SYSTEM_CALLS)
def test_no_strange_system_call_is_made(act: str, range_: Range, hostile: Callable[..., Path]) -> None:
    found = range_.run(hostile(act))
    assert "REFUSED" in found.output
    assert found.metrics[0].value == INTACT


def test_what_a_model_does_when_it_is_loaded_is_refused_too(
    range_: Range, hostile: Callable[..., Path], canary: Canary
) -> None:
    found = range_.run(hostile(f"open('{canary.path}', 'w')", "Landmine"))
    assert "REFUSED" in found.output
    assert canary.is_unharmed
    assert found.metrics[0].value == INTACT
