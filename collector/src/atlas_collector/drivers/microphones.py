"""Sound: the eight channels of a miniDSP UMA-8 on USB, or any other sound card that ALSA knows.

With its raw firmware the array gives 8 channels of 32 bits, of which the last is silent; with the firmware that forms
beams it gives fewer. 16 bits of them are kept.
"""

import time
from collections.abc import Mapping

from atlas_collector.drivers import Driver, SensorError, arecord, options
from atlas_collector.drivers.running import Running

_MOST_SECONDS = 10  # that wait for a tick
_SILENCE = 2.0  # seconds without a frame after which the card counts as unplugged


class Microphones(Driver):
    """Gives all frames since the last time.

    Settings:
        device: the sound card as ALSA names it, such as `hw:1,0`; the only one that records unless set.
        channels: 8 unless set.
        rate: frames per second, 48000 unless set.
    """

    message = "AudioChunk"

    def __init__(self, settings: Mapping[str, object]) -> None:
        super().__init__(settings)
        self._device = options.text(settings, "device", "")
        self._channels = options.whole(settings, "channels", 8, least=1, most=255)
        self._rate = options.whole(settings, "rate", 48000, least=1000, most=192_000)
        self._frames = Running(sample_bytes=2 * self._channels, most=self._rate * _MOST_SECONDS)
        self._recording: arecord.Recording | None = None
        self._heard_at = self._opened_at = 0.0

    @property
    def lost(self) -> int:
        """Frames that were lost so far."""
        return self._frames.lost

    def open(self) -> None:
        """Checks what the sound card offers and starts to record."""
        device = self._device or arecord.only_card()
        offer = arecord.offer(device, channels=self._channels, rate=self._rate)
        self._check(device, offer)
        self._opened_at = time.monotonic()
        self._heard_at = self._heard_at or self._opened_at
        self._recording = arecord.Recording(
            device,
            next(name for name in arecord.SAMPLE_BYTES if name in offer.formats),
            channels=self._channels,
            rate=self._rate,
            hear=self._hear,
            lose=lambda seconds: self._frames.skip(round(seconds * self._rate)),
        )

    def _check(self, device: str, offer: arecord.Offer) -> None:
        fewest, most = offer.channels
        if not fewest <= self._channels <= most:
            raise SensorError(
                f"the sound card {device} gives {most} channels, not {self._channels}: a UMA-8 gives 8 with its raw "
                "firmware, which the maker's program loads; or set 'channels' of the microphones"
            )
        slowest, fastest = offer.rates
        if not slowest <= self._rate <= fastest:
            raise SensorError(f"the sound card {device} gives {slowest} to {fastest} frames per second: set 'rate'")
        if not offer.formats & arecord.SAMPLE_BYTES.keys():
            raise SensorError(f"the sound card {device} gives neither 16 nor 32 bits (S16_LE, S32_LE): use another one")

    def _hear(self, frames: bytes) -> None:
        """When the card was away, the time says how many frames are missing."""
        now = time.monotonic()
        if 0 < self._heard_at < self._opened_at:
            self._frames.skip(round((now - self._heard_at) * self._rate) - len(frames) // (2 * self._channels))
        self._heard_at = now
        self._frames.add(frames)

    def read(self) -> Mapping[str, object] | None:
        """All frames since the last time, up to the next loss."""
        if self._recording is None:
            return None
        taken = self._frames.take()
        if taken is None:
            self._recording.check()
            if time.monotonic() - max(self._heard_at, self._opened_at) > _SILENCE:
                raise SensorError(f"the microphones have sent nothing for {_SILENCE:.0f} s: plug them in again")
            return None
        first, frames = taken
        return {"sample_rate": self._rate, "channels": self._channels, "first_frame": first, "data": frames}

    def close(self) -> None:
        """Ends the recording."""
        if self._recording is not None:
            self._recording.close()
        self._recording = None
