"""How Atlas writes numbers, times and sizes for people. Pure functions, without Django.

Nothing known is an en dash, never 0 and never blank. Times are UTC.
"""

import math
from datetime import UTC, datetime, timedelta

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"

_TINY, _HUGE = 1e-4, 1e9
"""Beyond these, measurements are written with an exponent."""
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


def figure(value: float | None) -> str:
    """A measurement of any magnitude in four digits, a whole number as such: `0.01234`, `81.40`, `12,346`."""
    if value is None or not math.isfinite(value):
        return num(value)
    if value.is_integer() and abs(value) < _HUGE:
        return num(value, 0)
    magnitude = math.floor(math.log10(abs(value)))
    if not _TINY <= abs(value) < _HUGE:
        return f"{num(value / 10.0**magnitude)}e{num(magnitude, 0)}"
    return num(value, max(3 - magnitude, 0))


def share(value: float | None, decimals: int = 1) -> str:
    """A share between 0 and 1 as per cent: `63.4 %`."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{num(100 * value, decimals)}{NARROW_SPACE}%"


def when(moment: datetime | None) -> str:
    """An exact time for detail pages: `2025-11-24 07:12 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else NOTHING


def when_short(moment: datetime | None, now: datetime, seconds: bool = False) -> str:
    """A time for lists: `22 Nov 08:30`, with seconds `22 Nov 08:30:15`; `22 Nov 2024` in another year than `now`."""
    if moment is None:
        return NOTHING
    if moment.astimezone(UTC).year != now.astimezone(UTC).year:
        return f"{moment.astimezone(UTC):%d %b %Y}"
    return moment.astimezone(UTC).strftime("%d %b %H:%M:%S" if seconds else "%d %b %H:%M")


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
    """A duration in the two units that matter: `12 µs`, `0.4 ms`, `38 ms`, `4.1 s`, `3 min 48 s`, `2 h 5 min`."""
    if seconds is None or math.isnan(seconds):
        return NOTHING
    if 0 < seconds < 0.0000995:
        return f"{_few_digits(1e6 * seconds)} µs"
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
