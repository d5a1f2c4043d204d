"""What the benchmark engine checks of a bundle when it arrives, as a list of findings."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from atlas.bundle import inspect, library_differences
from atlas.errors import BundleError, ManifestError, MemberError
from atlas.manifest import Manifest

CHECKS = ("zip file", "manifest", "metrics", "formats", "members")
"""In the order in which they are made; the first that fails is the last."""


class Outcome(StrEnum):
    """What a check says of a bundle; one with warnings is benchmarked."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a bundle, and one line on what it found."""

    name: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one file."""

    file: str
    checks: tuple[Check, ...]

    @property
    def valid(self) -> bool:
        """Whether the engine takes the bundle in."""
        return all(check.outcome is not Outcome.FAILED for check in self.checks)


def validate(path: Path) -> Report:
    """Check a bundle as the benchmark engine does, and compare its libraries with those installed here.

    Nothing in the bundle is executed.
    """
    try:
        manifest = inspect(path)
    except BundleError as error:
        return Report(str(path), _failed(error))
    return Report(str(path), (*_passed(manifest, path), *_library_checks(manifest)))


def _failed(error: BundleError) -> tuple[Check, ...]:
    failing = (
        "manifest" if isinstance(error, ManifestError) else "members" if isinstance(error, MemberError) else CHECKS[0]
    )
    passed = CHECKS[: CHECKS.index(failing)]
    return (*(Check(name, Outcome.OK) for name in passed), Check(failing, Outcome.FAILED, str(error)))


def _passed(manifest: Manifest, path: Path) -> tuple[Check, ...]:
    parts = [part for part in (manifest.model, manifest.pipeline) if part]
    details = (
        f"{path.stat().st_size:,} bytes",
        f"{manifest.name}, schema version {manifest.schema_version}",
        ", ".join(manifest.metrics),
        ", ".join(f"{part.member} is {part.format}" for part in parts),
        f"{', '.join(manifest.members)}: size and sha256 are right",
    )
    return tuple(Check(name, Outcome.OK, detail) for name, detail in zip(CHECKS, details, strict=True))


def _library_checks(manifest: Manifest) -> tuple[Check, ...]:
    differing = [Check("libraries", Outcome.WARNING, line) for line in library_differences(manifest)]
    return tuple(differing) or (Check("libraries", Outcome.OK, "the same versions are installed here"),)
