"""How Atlas writes numbers, times and sizes for people. Pure functions, without Django.

Nothing known is an en dash, never 0 and never blank. Times are UTC.
"""

import math
from datetime import UTC, datetime, timedelta

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"

_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_AGES = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


def num(value: float | None, decimals: int = 3, sign: bool = False) -> str:
    """A number with a fixed count of decimals and a comma between thousands, and a true minus sign: `1,284.500`.

    With `sign`, what rises gets a plus and what rounds to zero a plus-minus.
    """
    if value is None or math.isnan(value):
        return NOTHING
    digits = "∞" if math.isinf(value) else f"{abs(value):,.{decimals}f}"
    if not digits.strip("0.,"):
        return f"±{digits}" if sign else digits
    if value < 0:
        return MINUS + digits
    return f"+{digits}" if sign else digits


def share(value: float | None, decimals: int = 1) -> str:
    """A share between 0 and 1 as per cent: `63.4 %`."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{num(100 * value, decimals)}{NARROW_SPACE}%"


def when(moment: datetime | None) -> str:
    """An exact time for detail pages: `2025-11-24 07:12 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else NOTHING


def when_short(moment: datetime | None, now: datetime) -> str:
    """A time for lists: `22 Nov 08:30`, or `22 Nov 2024` in another year than `now`."""
    if moment is None:
        return NOTHING
    same_year = moment.astimezone(UTC).year == now.astimezone(UTC).year
    return moment.astimezone(UTC).strftime("%d %b %H:%M" if same_year else "%d %b %Y")


def since(moment: datetime | None, now: datetime) -> str:
    """How long ago a time was, in its largest unit: `2 h ago`; `just now` within the last minute."""
    if moment is None:
        return NOTHING
    age = now - moment
    for unit, name in _AGES:
        if age >= unit:
            return f"{age // unit} {name} ago"
    return "just now"


def duration(seconds: float | None) -> str:
    """A duration in the two units that matter: `0.4 ms`, `38 ms`, `4.1 s`, `3 min 48 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds is None or math.isnan(seconds):
        return NOTHING
    if seconds < 0.9995:
        return f"{_few_digits(1000 * seconds)} ms"
    if seconds < 59.5:
        return f"{_few_digits(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def size(count: int | None) -> str:
    """A number of bytes in binary units: `512 B`, `48.3 MiB`."""
    if count is None:
        return NOTHING
    exponent = min(max(count.bit_length() - 1, 0) // 10, len(_BINARY_UNITS) - 1)
    value = count / 1024**exponent
    return f"{num(value, 1 if exponent and value < 100 else 0)} {_BINARY_UNITS[exponent]}"


def short_digest(digest: str) -> str:
    """A digest's two ends: `7c1e04d9…b2f3a8e6`."""
    return digest if len(digest) <= 17 else f"{digest[:8]}…{digest[-8:]}"


def _few_digits(value: float) -> str:
    return num(value, 1 if value < 9.95 else 0)
