"""What runs inside the sandbox: `python -m benchmark_engine.sandbox.child STAGE MEMORY_BYTES FILE_BYTES`.

The limits come first, then the imports: whatever is loaded afterwards may be hostile.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38


def confine(memory_bytes: int, file_bytes: int) -> None:
    """End with the engine, gain no rights, leave no core file, and keep to the limits."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def main(arguments: list[str]) -> int:
    """Do what the engine asks; the answer is in the scratch folder, which is the working directory."""
    stage, memory_bytes, file_bytes = arguments
    confine(int(memory_bytes), int(file_bytes))
    from benchmark_engine.sandbox import stages  # after the limits, which its imports must keep to as well

    stages.STAGES[stage]()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # what a model left running, such as threads, does not keep the child alive
