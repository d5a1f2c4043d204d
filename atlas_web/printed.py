"""What a model's code printed, cut so that a page shows its start and its end."""

from dataclasses import dataclass

MOST_LINES = 80
"""As many lines are shown as a whole."""
SHOWN_LINES = 30
"""Of more lines, so many at the start and at the end are."""


@dataclass(frozen=True, slots=True)
class Printed:
    """The first and the last lines, what stands between them, which is folded, and how many lines that is."""

    first: str
    between: str = ""
    last: str = ""
    lines_between: int = 0


def printed(output: str) -> Printed:
    """The parts of what was printed."""
    lines = output.rstrip("\n").split("\n")
    if len(lines) <= MOST_LINES:
        return Printed("\n".join(lines))
    between = lines[SHOWN_LINES:-SHOWN_LINES]
    first, last = ("\n".join(part) for part in (lines[:SHOWN_LINES], lines[-SHOWN_LINES:]))
    return Printed(first, "\n".join(between), last, len(between))
