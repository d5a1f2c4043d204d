"""Secrets in files that are tracked: what looks like one and is not in the baseline, where people looked at each."""

import subprocess
from contextlib import chdir
from pathlib import Path

from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

from audit.packages import ROOT

BASELINE = ".secrets.baseline"


def new(root: Path = ROOT) -> list[str]:
    """A sentence for each place in a repository that looks like a secret which nobody has looked at."""
    known = baseline.load_from_file(str(root / BASELINE))
    with chdir(root), transient_settings(known):
        fresh = _present(root) - SecretsCollection.load_from_baseline(known)
    return sorted(f"{each.filename}:{each.line_number}: {each.type}" for _, each in fresh)


def accept(root: Path = ROOT) -> None:
    """Take every place into the baseline, for somebody who has looked at each of them and found no secret."""
    with chdir(root), transient_settings(baseline.load_from_file(BASELINE)):
        present = _present(root)
        for _, each in present:
            each.is_secret = False
        baseline.save_to_file(present, BASELINE)


def _present(root: Path) -> SecretsCollection:
    found = SecretsCollection()
    found.scan_files(*_tracked(root))
    return found


def _tracked(root: Path) -> list[str]:
    """The files that git knows, by their paths from the root; the baseline is made of digests alone."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
    return [each for each in listed.stdout.split("\0") if each and each != BASELINE]
