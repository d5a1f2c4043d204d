"""Builds and checks the casing with each of some sizes; run in .venv-casing, told and telling JSON."""

import json
import sys
from pathlib import Path

from collector.casing.__main__ import assemble, findings
from collector.casing.sizes import changed


def failed(sizes: object, folder: Path) -> list[str]:
    """The names of the checks that fail."""
    found = findings(assemble(changed(sizes), folder))
    return sorted({finding.check for finding in found if not finding.passed})


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump({name: failed(sizes, Path(sys.argv[1])) for name, sizes in asked.items()}, sys.stdout)
