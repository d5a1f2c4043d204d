"""What the car's computer says about itself: its temperature, and whether its supply is too weak."""

from pathlib import Path

_SYSTEM = Path("/sys")
_PROCESSOR_ZONES = ("cpu-thermal", "cpu_thermal", "x86_pkg_temp")


def temperature(system: Path = _SYSTEM) -> float | None:
    """Of the processor, in °C; None where the computer does not tell."""
    for zone in sorted(system.glob("class/thermal/thermal_zone*")):
        if _text(zone / "type") in _PROCESSOR_ZONES:
            found = _text(zone / "temp")
            return int(found) / 1000 if found and found.lstrip("-").isdigit() else None
    return None


def is_undervolted(system: Path = _SYSTEM) -> bool | None:
    """Whether the supply's voltage fell below what a Raspberry Pi needs since this was last asked; None elsewhere."""
    for monitor in sorted(system.glob("class/hwmon/hwmon*")):
        if _text(monitor / "name") == "rpi_volt":
            return _text(monitor / "in0_lcrit_alarm") == "1"
    return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
