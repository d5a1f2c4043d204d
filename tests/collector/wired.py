"""Sensors at the wire: what the car's drivers open leads to emulated sensors."""

import os
import struct
import threading
import tty
from pathlib import Path

from tests.collector.car import ROOT, WIRE, Car
from tests.collector.sound_card import SoundCard

FRAME_SECONDS = 0.2


class ParticleSensor:
    """A particle sensor on a pseudo-terminal that a path leads to while it is plugged in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def plug_in(self) -> None:
        """It sends its values."""
        wire, line = os.openpty()
        tty.setraw(line)
        self._path.symlink_to(os.ttyname(line))
        self._stop.clear()
        self._thread = threading.Thread(target=self._send, args=(wire, line))
        self._thread.start()

    def unplug(self) -> None:
        """The line hangs up, and its device is gone."""
        if self._thread is None:
            return
        self._path.unlink()
        self._stop.set()
        self._thread.join()
        self._thread = None

    def _send(self, wire: int, line: int) -> None:
        content = struct.pack(">2sH13H", b"BM", 28, 1, 2, 3, 7, 12, 19, 900, 270, 40, 5, 1, 0, 0x9700)
        while not self._stop.wait(FRAME_SECONDS):
            os.write(wire, content + struct.pack(">H", sum(content)))
        os.close(line)
        os.close(wire)


class Wires:
    """All sensors of a car."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.particles = ParticleSensor(folder / "serial0")
        self.sound_card = SoundCard(folder)

    def lead_from(self, car: Car) -> None:
        """Lets the car's nodes find these sensors."""
        car.environment |= {
            "ATLAS_TEST_WIRE": str(self._folder),
            "PATH": os.pathsep.join([str(self._folder), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(WIRE), str(ROOT)]),
        }

    def settings(self) -> dict[str, dict[str, object]]:
        """Of the sensors."""
        return {"air": {"port": str(self._folder / "serial0"), "silence": 2.0}}

    def set_plugged(self, address: int, *, is_plugged_in: bool) -> None:
        """Plugs a chip in, or out."""
        mark = self._folder / f"{address:#x}.unplugged"
        mark.unlink(missing_ok=True) if is_plugged_in else mark.touch()
