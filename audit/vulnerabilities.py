"""Known vulnerabilities of the locked packages, as pip-audit finds them at a service on the network."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

PROBE = "django"
"""The package that is asked about first: a service that does not know it knows none."""
TIMEOUT_SECONDS = 15


class UnreachableError(Exception):
    """No service could be asked."""


def found(paths: Iterable[Path], version_of_probe: str, passed: Collection[str], scratch: Path) -> list[str]:
    """A sentence for each vulnerability in the packages of requirements files.

    Args:
        paths: the files.
        version_of_probe: of `PROBE`, which is asked about before all others.
        passed: the ids of vulnerabilities that are known not to reach Atlas.
        scratch: a folder for a file.

    Raises:
        UnreachableError: no service answers, or it knows nothing.
    """
    probe = scratch / "probe.txt"
    probe.write_text(f"{PROBE}=={version_of_probe}\n")
    if not [each for each in _asked(probe) if "vulns" in each]:
        raise UnreachableError("the service does not know the packages")
    return sorted({told for path in paths for told in _told(_asked(path), passed)})


def _asked(path: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(path), "--no-deps", "--disable-pip"]
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", str(TIMEOUT_SECONDS)]
    outcome = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    try:
        return list(json.loads(outcome.stdout)["dependencies"])
    except ValueError as error:
        raise UnreachableError(outcome.stderr.strip().rpartition("\n")[2]) from error


def _told(packages: Iterable[dict[str, Any]], passed: Collection[str]) -> Iterable[str]:
    for package in packages:
        for each in package.get("vulns", ()):
            if not {each["id"], *each.get("aliases", ())} & set(passed):
                mended = ", ".join(each["fix_versions"]) or "none yet"
                yield f"{package['name']} {package['version']}: {each['id']}; mended in {mended}"
