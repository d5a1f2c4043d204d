"""Whether everything that Atlas is made of may be passed on: permissive licences, or an exception with a reason."""

import re
from collections.abc import Callable, Iterable, Mapping

from audit.packages import licence_of, parts_of

PERMISSIVE = re.compile(
    r"(The )?(MIT|MIT-0|MIT-CMU|BSD|0BSD|ISC|Apache|PSF|Python Software|Zlib|CC0|Unlicense|BSL-1\.0|Zope|ZPL|"
    r"[23]-Clause BSD|Public Domain|HPND)\b"
)
"""How permissive licences begin, as packages call them."""


def wrong(
    names: Iterable[str], allowed: Mapping[str, object], told: Callable[[str], str | None] = licence_of
) -> list[str]:
    """A sentence for each package whose licence is not permissive and that is no exception.

    Args:
        names: of the packages.
        allowed: exceptions by the package's name.
        told: what a package says of its licence; None of one that is not installed, which is not judged.
    """
    return [f"{name}: {said or 'it tells no licence'}" for name, said in _unfit(names, told) if name not in allowed]


def _unfit(names: Iterable[str], told: Callable[[str], str | None]) -> Iterable[tuple[str, str]]:
    for name in sorted(names):
        said = told(name)
        if said is not None and not is_permissive(said):
            yield name, said


def is_permissive(expression: str) -> bool:
    """Whether all licences that an expression names are; of alternatives, too."""
    parts = list(parts_of(expression))
    return bool(parts) and all(PERMISSIVE.match(each) for each in parts)
