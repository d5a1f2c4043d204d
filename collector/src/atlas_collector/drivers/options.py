"""A driver's settings, checked once: a wrong one is named."""

from collections.abc import Mapping

Settings = Mapping[str, object]


class OptionError(ValueError):
    """A setting is none that the driver can use."""


def number(settings: Settings, key: str, default: float, *, least: float, most: float) -> float:
    """A number within bounds.

    Raises:
        OptionError: it is none.
    """
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise OptionError(f"{key}: {value!r} is no number from {least:g} to {most:g}")
    return float(value)


def whole(settings: Settings, key: str, default: int, *, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises:
        OptionError: it is none.
    """
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise OptionError(f"{key}: {value!r} is no whole number from {least} to {most}")
    return value


def text(settings: Settings, key: str, default: str) -> str:
    """A text.

    Raises:
        OptionError: it is none.
    """
    value = settings.get(key, default)
    if not isinstance(value, str):
        raise OptionError(f"{key}: {value!r} is no text")
    return value
