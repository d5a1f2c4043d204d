"""What a check found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the checks' output; `advice` says which sizes to change where `passed` is false."""

    check: str
    what: str
    measured: str
    passed: bool
    advice: str

    def __str__(self) -> str:
        line = f"{'ok  ' if self.passed else 'FAIL'} {self.check:<14} {self.what:<28} {self.measured}"
        return line if self.passed else f"{line}: {self.advice}"
