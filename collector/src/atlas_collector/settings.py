"""What the collector is told, checked once: whoever reads a setting from here need not look at it again.

The settings are those of config/collector.yaml, where each is explained. ROS' parameter server holds them below
`/collector`; there the launch file adds each sensor's driver.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

_FOLDER = Path("/var/lib/atlas-collector")
_LONGEST_TEXT = 200
_SENSOR_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RESERVED_NAMES = {"set", "diagnostics", "rosout", "clock"}


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and says what to do."""


def _number(default: float, *, least: float, most: float) -> Any:
    return field(default=default, metadata={"check": lambda value, key: _checked_number(value, key, least, most)})


def _whole(default: int, *, least: int, most: int) -> Any:
    return field(default=default, metadata={"check": lambda value, key: _checked_whole(value, key, least, most)})


def _checked(check: Callable[[object, str], object], default: object) -> Any:
    return field(default=default, metadata={"check": check})


def _checked_number(value: object, key: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise SettingsError(f"{key}: {value!r} is no number from {least:g} to {most:g}; write one")
    return float(value)


def _checked_whole(value: object, key: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SettingsError(f"{key}: {value!r} is no whole number from {least} to {most}; write one")
    return value


def _line(value: object, key: str) -> str:
    """One line of text; numbers are texts too, as YAML takes a car called 12 for a number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.isprintable() or len(text) > _LONGEST_TEXT:
        raise SettingsError(f"{key}: {value!r} is not one line of at most {_LONGEST_TEXT} characters; write one")
    return text.strip()


def _folder(value: object, key: str) -> Path:
    path = Path(_line(value, key))
    if not path.is_absolute():
        raise SettingsError(f"{key}: {value!r} is no folder that begins with /; write the whole path")
    return path


def _address(value: object, key: str) -> str:
    """The address of an ingestion engine; empty for none."""
    text = _line(value, key).rstrip("/")
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise SettingsError(f"{key}: {value!r} is no address; write one such as http://192.168.1.10:8100, or nothing")
    return text


@dataclass(frozen=True, kw_only=True)
class RecordingSettings:
    """How sets are written.

    Attributes:
        part_megabytes: a part that is this long is closed.
        part_minutes: a part that is this old is closed.
        sync_seconds: how often what was written is brought onto the disk: a power cut loses no more than that.
        keep_free_megabytes: room that is never recorded into, so that the open part can be closed properly.
    """

    part_megabytes: float = _number(200.0, least=0.01, most=4_000.0)
    part_minutes: float = _number(10.0, least=0.001, most=1_440.0)
    sync_seconds: float = _number(2.0, least=0.1, most=60.0)
    keep_free_megabytes: float = _number(200.0, least=1.0, most=1_000_000.0)


@dataclass(frozen=True, kw_only=True)
class UploadSettings:
    """How finished parts are sent.

    Attributes:
        url: of the ingestion engine; empty to send nothing.
        token_file: the file that holds the token that the engine asks for; empty if it asks for none.
        piece_bytes: how much is sent at a time; what was cut off in a piece is sent again.
        every_seconds: how often is looked for finished parts, and the first pause after a failure.
        longest_pause_seconds: pauses grow up to this while there is no network.
        timeout_seconds: how long the network may be silent before a call has failed.
    """

    url: str = _checked(_address, "")
    token_file: str = _checked(_line, "")
    piece_bytes: int = _whole(1_048_576, least=4_096, most=8_388_608)
    every_seconds: float = _number(5.0, least=0.05, most=3_600.0)
    longest_pause_seconds: float = _number(300.0, least=0.1, most=86_400.0)
    timeout_seconds: float = _number(30.0, least=0.5, most=600.0)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings.

    Attributes:
        folder: where recordings are kept.
        car, environment: what recordings are sent with; empty if it shall not be told.
        interval: seconds between two ticks of every sensor.
        tolerance: seconds that the stamps of a set may differ.
        sensors: by name; the driver and its settings, which the driver checks.
        recording, upload: see there.
    """

    folder: Path = _checked(_folder, _FOLDER)  # noqa: RUF009 - a field
    car: str = _checked(_line, "")
    environment: str = _checked(_line, "")
    interval: float = _number(1.0, least=0.05, most=60.0)
    tolerance: float = _number(0.1, least=0.0, most=30.0)
    sensors: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict, metadata={"check": lambda value, key: _checked_sensors(value, key)}
    )
    recording: RecordingSettings = field(
        default=RecordingSettings(), metadata={"check": lambda value, key: _read(RecordingSettings, value, key)}
    )
    upload: UploadSettings = field(
        default=UploadSettings(), metadata={"check": lambda value, key: _read(UploadSettings, value, key)}
    )


def checked(values: object) -> Settings:
    """The settings, as they are on the parameter server or in the file.

    Raises:
        SettingsError: one of them cannot be used.
    """
    settings = _read(Settings, values, "")
    if settings.tolerance >= settings.interval / 2:
        raise SettingsError(
            f"tolerance: {settings.tolerance:g} s is not less than half the interval of {settings.interval:g} s: "
            "messages of two ticks would make one set; write less"
        )
    return settings


def described(settings: Settings) -> dict[str, object]:
    """All settings with their defaults, as they can be written to a file."""
    return asdict(settings) | {"folder": str(settings.folder)}


Read = TypeVar("Read")


def _read(kind: type[Read], values: object, key: str) -> Read:
    """A dataclass from what is written below a key; what is not written has its default."""
    if not isinstance(values, Mapping):
        raise SettingsError(f"{key or 'the settings'}: {values!r} is no list of settings; write 'name: value' lines")
    known: dict[str, Field[Any]] = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise SettingsError(f"{_below(key, str(name))}: there is no such setting{_likely(str(name), known)}")
    return kind(**{name: known[name].metadata["check"](value, _below(key, name)) for name, value in values.items()})


def _checked_sensors(value: object, key: str) -> dict[str, dict[str, object]]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{key}: {value!r} are no sensors; write the name of each, and below it its settings")
    for name, given in value.items():
        if not isinstance(name, str) or not _SENSOR_NAME.fullmatch(name) or name in _RESERVED_NAMES:
            raise SettingsError(
                f"{key}/{name}: a sensor's name has small letters, digits and underscores, begins with a letter and "
                f"is none of {', '.join(sorted(_RESERVED_NAMES))}; choose another"
            )
        if given is not None and not isinstance(given, Mapping):
            raise SettingsError(f"{key}/{name}: {given!r} is no list of settings; write 'name: value' lines")
    return {name: dict(given or {}) for name, given in value.items()}


def _below(key: str, name: str) -> str:
    return f"{key}/{name}" if key else name


def _likely(name: str, known: Mapping[str, object]) -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f"; do you mean {found[0]}?" if found else f"; there are {', '.join(known)}"
