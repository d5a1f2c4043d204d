"""Runs a command with DATABASE_URL set to a PostgreSQL of its own: `python -m tests.with_postgres COMMAND...`."""

import os
import subprocess
import sys

from tests.servers import MissingComponentError, postgresql


def main(command: list[str]) -> int:
    """The command's exit status; without PostgreSQL 0 and one line that says so, but 1 where CI=true."""
    try:
        with postgresql() as url:
            return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    except MissingComponentError as missing:
        sys.stderr.write(f"not run: {' '.join(command)}: {missing}\n")
        return int(os.environ.get("CI") == "true")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
