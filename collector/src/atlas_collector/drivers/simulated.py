"""Sensors of a car that is driven nowhere: one simulation for each kind of message.

What they measure is told by the time and a seed alone: each process that asks at the same time gets the same.
"""

import math
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from random import Random

from atlas_collector.drivers import Driver, options
from atlas_collector.drivers.impacts import RING_SECONDS, Impact, impacts_between, shake, sound

Clock = Callable[[], float]

_CLOCK_STEP = 0.2  # seconds that the clock may differ from the time that passed before it counts as set
_MOST_SECONDS = 10  # of samples in a message, as of the real sensors
_GRAVITY = 9.80665  # m/s²
_NOISE_SECONDS = 4
_ROAD_LOUDNESS = 0.01  # of 1, which is as loud as can be recorded
_ROAD_SHAKE = 0.4  # m/s²
_LOUDEST = 32767
_SILENT_MICROPHONE = 7  # of a UMA-8, which has seven
_ARRAY_DELAY = 0.000126  # seconds that sound takes across the array's radius of 43 mm


class Simulation(Driver):
    """A sensor that always answers.

    Settings:
        seed: of all that is left to chance, 0 unless set.
        impact_every: seconds between impacts, about; 8 unless set.
    """

    def __init__(
        self, settings: Mapping[str, object], clock: Clock = time.time, monotonic: Clock = time.monotonic
    ) -> None:
        super().__init__(settings)
        self._clock, self._monotonic = clock, monotonic
        self._seed = options.whole(settings, "seed", 0, least=0, most=1 << 31)
        self._every = options.number(settings, "impact_every", 8.0, least=1.0, most=86400.0)

    def open(self) -> None:
        """Nothing is to be opened."""

    def close(self) -> None:
        """Nothing is to be closed."""

    def _wave(self, seconds: float, period: float) -> float:
        """From -1 to 1, now and a period later the same."""
        return math.sin(2 * math.pi * (seconds / period + self._seed / 7))

    def _chance(self, seconds: float) -> float:
        """From -1 to 1, another one each second."""
        return Random(f"{self._seed}:{math.floor(seconds)}").uniform(-1, 1)  # noqa: S311


class Air(Simulation):
    """Particles of a road with traffic, measured at the sensor's own rhythm."""

    message = "ParticulateMatter"
    _RHYTHM = 0.9  # seconds

    def read(self) -> Mapping[str, object] | None:
        """The newest value, and its age."""
        age = self._clock() % self._RHYTHM
        measured_at = self._clock() - age
        pm2_5 = 14 + 6 * self._wave(measured_at, 311) + 3 * self._wave(measured_at, 47) + self._chance(measured_at)
        whole = [float(round(pm2_5 * share)) for share in (0.7, 1.0, 1.3)]
        return {"age": age, "pm1_0": whole[0], "pm2_5": whole[1], "pm10": whole[2]}


class Gas(Simulation):
    """The air in a car."""

    message = "GasReading"

    def read(self) -> Mapping[str, object] | None:
        """What it is now."""
        now = self._clock()
        noise = self._chance(now)
        return {
            "temperature": 22 + 3 * self._wave(now, 1800) + 0.02 * noise,
            "humidity": 45 - 6 * self._wave(now, 1800) + 0.1 * noise,
            "pressure": 1003 + 4 * self._wave(now, 2400) + 0.03 * noise,
            "gas_resistance": 120_000 + 30_000 * self._wave(now, 900) + 400 * noise,
        }


class _Samples(Simulation):
    """A sensor that takes many samples between ticks; each has a number and a place in time."""

    def __init__(
        self, settings: Mapping[str, object], clock: Clock = time.time, monotonic: Clock = time.monotonic
    ) -> None:
        super().__init__(settings, clock, monotonic)
        self._began_at = monotonic()
        self._set_off = clock() - self._began_at
        self._next = self._lost = 0

    @property
    def lost(self) -> int:
        """Samples that nobody fetched in time."""
        return self._lost

    def _due(self, rate: int) -> tuple[int, int, int]:
        """The samples since the last time: the first one's number and place (samples since 1970), and how many."""
        now = self._monotonic()
        if abs(self._clock() - now - self._set_off) > _CLOCK_STEP:
            self._set_off = self._clock() - now
        end = int((now - self._began_at) * rate)
        first = max(self._next, end - _MOST_SECONDS * rate)
        self._lost += first - self._next
        self._next = end
        return first, round((self._set_off + self._began_at) * rate) + first, end - first

    def _rings(self, place: int, count: int, rate: int) -> Iterator[tuple[Impact, int]]:
        """The impacts that are noticed in these samples, with their places among them, perhaps before the first."""
        start, end = place / rate - RING_SECONDS, (place + count) / rate
        for impact in impacts_between(start, end, seed=self._seed, every=self._every):
            yield impact, round(impact.time * rate) - place


class Microphones(_Samples):
    """Road noise and impacts on the microphones of a UMA-8: six in a circle round a seventh, and a silent channel.

    Settings besides those of each simulation:
        channels: 8 unless set.
        rate: frames per second, 48000 unless set.
    """

    message = "AudioChunk"

    def __init__(
        self, settings: Mapping[str, object], clock: Clock = time.time, monotonic: Clock = time.monotonic
    ) -> None:
        super().__init__(settings, clock, monotonic)
        self._channels = options.whole(settings, "channels", 8, least=1, most=8)
        self._rate = options.whole(settings, "rate", 48000, least=1000, most=192_000)
        self._heard = [channel for channel in range(self._channels) if channel != _SILENT_MICROPHONE]
        self._noise = self._road()

    def _road(self) -> "array[int]":
        """Some seconds of road noise that begin again without a step: rolling tyres are deep, so it is smoothed."""
        chance = Random(self._seed)  # noqa: S311
        count = _NOISE_SECONDS * self._rate
        white = [chance.gauss(0, _ROAD_LOUDNESS * _LOUDEST) for _ in range(count)]
        level, deep = 0.0, array("h")
        for value in white:
            level += 0.3 * (value - level)
            deep.append(int(level))
        frames = array("h", bytes(2 * count * self._channels))
        for channel in self._heard:
            begin = channel * count // self._channels
            frames[channel :: self._channels] = deep[begin:] + deep[:begin]
        return frames

    def read(self) -> Mapping[str, object] | None:
        """The frames since the last time."""
        first, place, count = self._due(self._rate)
        if not count:
            return None
        frames = self._noise_at(place, count)
        for impact, begin in self._rings(place, count, self._rate):
            for channel in self._heard:
                self._add(frames, channel, sound(impact, self._rate), begin + self._delay(channel, impact))
        return {"sample_rate": self._rate, "channels": self._channels, "first_frame": first, "data": frames.tobytes()}

    def _noise_at(self, place: int, count: int) -> "array[int]":
        length = len(self._noise) // self._channels
        begin = place % length
        frames = self._noise * ((begin + count - 1) // length + 1)
        return frames[begin * self._channels : (begin + count) * self._channels]

    def _delay(self, channel: int, impact: Impact) -> int:
        """How many frames later than in the middle a sound is heard."""
        if channel == 0:
            return 0
        return round(-math.cos(impact.bearing - channel * math.pi / 3) * _ARRAY_DELAY * self._rate)

    def _add(self, frames: "array[int]", channel: int, ring: list[float], begin: int) -> None:
        count = len(frames) // self._channels
        for frame in range(max(0, begin), min(count, begin + len(ring))):
            index = frame * self._channels + channel
            level = frames[index] + int(ring[frame - begin] * _LOUDEST)
            frames[index] = max(-_LOUDEST, min(_LOUDEST, level))


class Acceleration(_Samples):
    """A car on a road: gravity, a rough surface, and impacts.

    Settings besides those of each simulation:
        rate: samples per second, 400 unless set.
    """

    message = "Acceleration"

    def __init__(
        self, settings: Mapping[str, object], clock: Clock = time.time, monotonic: Clock = time.monotonic
    ) -> None:
        super().__init__(settings, clock, monotonic)
        self._rate = options.whole(settings, "rate", 400, least=10, most=4000)
        chance = Random(self._seed)  # noqa: S311
        self._noise = [chance.gauss(0, _ROAD_SHAKE) for _ in range(_NOISE_SECONDS * self._rate)]

    def read(self) -> Mapping[str, object] | None:
        """The samples since the last time."""
        first, place, count = self._due(self._rate)
        if not count:
            return None
        axes = [self._road(axis, place, count) for axis in range(3)]
        for impact, begin in self._rings(place, count, self._rate):
            for axis, ring in zip(axes, shake(impact, self._rate), strict=True):
                for index in range(max(0, begin), min(count, begin + len(ring))):
                    axis[index] += ring[index - begin]
        return {"sample_rate": float(self._rate), "first_sample": first, "x": axes[0], "y": axes[1], "z": axes[2]}

    def _road(self, axis: int, place: int, count: int) -> list[float]:
        """At rest there is gravity; each axis has another part of the same noise."""
        begin, rest = place + axis * self._rate, _GRAVITY * (axis == 2)
        return [rest + self._noise[index % len(self._noise)] for index in range(begin, begin + count)]
