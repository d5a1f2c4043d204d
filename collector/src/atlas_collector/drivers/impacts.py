"""Impacts for the simulated sensors: when they are, and what microphones and accelerometer notice of them.

All is told by the time and a seed, so that sensors in processes of their own notice the same impacts at the same
moments, and a test knows when they were.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random

RING_SECONDS = 0.3  # how long an impact is noticed
_EARLIEST, _LATEST = 0.1, 0.65  # parts of the time between impacts: none rings into the next


@dataclass(frozen=True, slots=True)
class Kind:
    """What an impact sounds and feels like.

    Attributes:
        pitch_hz, decay_seconds: of the sound.
        shake_hz, shock: of the car, the latter at most, in m/s² along x (forwards), y (left) and z (up).
        loudness: of 1, which is as loud as can be recorded.
    """

    pitch_hz: float
    decay_seconds: float
    loudness: float
    shake_hz: float
    shock: tuple[float, float, float]


KINDS = {
    "bump": Kind(110.0, 0.05, 0.8, 18.0, (-60.0, 12.0, 15.0)),
    "pothole": Kind(60.0, 0.08, 0.6, 12.0, (-8.0, 4.0, 45.0)),
    "stone": Kind(1900.0, 0.012, 0.7, 75.0, (5.0, 9.0, 4.0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """One impact.

    Attributes:
        time: seconds since 1970.
        kind: one of KINDS.
        strength: from 0.5 to 1.
        bearing: where the sound comes from, in radians from the front to the left.
    """

    time: float
    kind: str
    strength: float
    bearing: float


def impacts_between(start: float, end: float, *, seed: int = 0, every: float = 8.0) -> list[Impact]:
    """The impacts from `start` up to `end`, in seconds since 1970, in their order.

    Args:
        seed: of the simulation.
        every: seconds; in each span of this length there is one impact, somewhere.
    """
    spans = range(math.floor(start / every), math.floor(end / every) + 1)
    impacts = (_impact(span, seed, every) for span in spans)
    return [impact for impact in impacts if start <= impact.time < end]


@lru_cache(maxsize=64)
def _impact(span: int, seed: int, every: float) -> Impact:
    chance = Random(f"{seed}:{span}")  # noqa: S311
    return Impact(
        time=(span + chance.uniform(_EARLIEST, _LATEST)) * every,
        kind=chance.choice(sorted(KINDS)),
        strength=chance.uniform(0.5, 1.0),
        bearing=chance.uniform(-math.pi, math.pi),
    )


@lru_cache(maxsize=16)
def sound(impact: Impact, rate: int) -> list[float]:
    """What a microphone hears from the beginning of an impact on, from -1 to 1."""
    kind = KINDS[impact.kind]
    return _ring(impact.strength * kind.loudness, kind.pitch_hz, kind.decay_seconds, rate)


@lru_cache(maxsize=16)
def shake(impact: Impact, rate: int) -> tuple[list[float], list[float], list[float]]:
    """How the car shakes along x, y and z from the beginning of an impact on, in m/s²."""
    kind = KINDS[impact.kind]
    x, y, z = (_ring(impact.strength * most, kind.shake_hz, 0.06, rate) for most in kind.shock)
    return x, y, z


def _ring(most: float, pitch_hz: float, decay_seconds: float, rate: int) -> list[float]:
    """A cosine that fades."""
    turn, fade = 2 * math.pi * pitch_hz / rate, 1 / (decay_seconds * rate)
    return [most * math.exp(-index * fade) * math.cos(turn * index) for index in range(round(RING_SECONDS * rate))]
