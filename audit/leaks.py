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
        present = SecretsCollection()
        present.scan_files(*_tracked(root))
        fresh = present - SecretsCollection.load_from_baseline(known)
    return sorted(f"{each.filename}:{each.line_number}: {each.type}" for _, each in fresh)


def _tracked(root: Path) -> list[str]:
    """The files that git knows, by their paths from the root; the baseline is made of digests alone."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
    return [each for each in listed.stdout.split("\0") if each and each != BASELINE]
