"""`make audit`: fails if a locked package has a known vulnerability or an unfit licence, or a file a secret.

`python -m audit --accept` takes what looks like a secret into the baseline, for somebody who has looked at all of it.
"""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from audit import exceptions, leaks, licences, vulnerabilities
from audit.packages import ROOT, lock_files, locked

BILL = ROOT / "build" / "sbom.json"


def main() -> int:
    """The exit status: 1 if anything was found."""
    if sys.argv[1:] == ["--accept"]:
        leaks.accept()
        return 0
    passed = exceptions.on(datetime.now(UTC).date())
    names = locked()
    findings = _reported("Licences that are not permissive", licences.wrong(names, passed.licences))
    findings += _reported("Secrets that nobody has looked at", leaks.new())
    findings += _vulnerable(names[vulnerabilities.PROBE], passed)
    _write_bill(BILL)
    _say(f"Bill of materials: {BILL.relative_to(ROOT)}")
    return 1 if findings else 0


def _vulnerable(version_of_probe: str, passed: exceptions.Exceptions) -> int:
    """How many vulnerabilities were found; where no service can be asked, that is said so that nobody misses it."""
    try:
        with TemporaryDirectory(prefix="atlas-audit-") as scratch:
            told = vulnerabilities.found(lock_files(), version_of_probe, passed.vulnerabilities, Path(scratch))
    except vulnerabilities.UnreachableError as error:
        _say(f"*** NOT CHECKED: known vulnerabilities. No service for them can be asked from here: {error} ***")
        return 0
    return _reported("Known vulnerabilities", told)


def _write_bill(path: Path) -> None:
    """What the images hold, in CycloneDX, checked against its schema."""
    path.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(ROOT / "requirements-image.txt")]
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--validate", "-o", str(path)]
    subprocess.run([*command, *options], check=True, stderr=subprocess.DEVNULL)


def _reported(title: str, told: list[str]) -> int:
    _say(f"{title}: {len(told) or 'none'}")
    for each in told:
        _say(f"  {each}")
    return len(told)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
