"""A sound card that counts, behind a program that stands in for `arecord`."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

_PROGRAM = """#!{python} -IS
import json, os, struct, sys, time
card = json.load(open({card!r}))
arguments = sys.argv[1:]
if "-l" in arguments:
    for number in range(card["cards"]):
        print(f"card {{number + 1}}: UMA8 [micArray], device 0: USB Audio [USB Audio]")
    sys.exit()
if not card["cards"]:
    sys.exit("arecord: main:831: audio open error: No such device")
if "--dump-hw-params" in arguments:
    print('HW Params of device "hw":', file=sys.stderr)
    for name in ("format", "channels", "rate"):
        print(name.upper() + ": " + card[name], file=sys.stderr)
    sys.exit()
open({pid!r}, "w").write(str(os.getpid()))
option = dict(zip(arguments, arguments[1:]))
channels, rate, wide = int(option["-c"]), int(option["-r"]), option["-f"] == "S32_LE"
assert option["-f"] in card["format"].split()
if card["complaint"]:
    print(card["complaint"], file=sys.stderr, flush=True)
if card["is_silent"]:
    time.sleep(600)
began, sent = time.monotonic(), 0
while True:
    due = int((time.monotonic() - began) * rate)
    numbers = [number % 32768 for number in range(sent * channels, due * channels)]
    if wide:
        numbers = [number << 16 | 0xABCD for number in numbers]
    content = struct.pack(f"<{{len(numbers)}}{{'i' if wide else 'h'}}", *numbers)
    sys.stdout.buffer.write(content[:-1])
    sys.stdout.buffer.flush()  # pieces end anywhere
    sys.stdout.buffer.write(content[-1:])
    sent = due
    time.sleep(0.01)
"""


class SoundCard:
    """Sample `c` of frame `n` is `n * channels + c`, modulo 32768, since recording began."""

    def __init__(self, folder: Path) -> None:
        """Writes the program `arecord` into a folder, which is to be on PATH."""
        self._card, self._pid = folder / "card.json", folder / "pid"
        self.set()
        program = folder / "arecord"
        program.write_text(_PROGRAM.format(python=sys.executable, card=str(self._card), pid=str(self._pid)))
        program.chmod(0o755)

    def set(self, **changes: Any) -> None:
        """What the card is like: `cards` (how many there are), `format`, `channels`, `rate`, `complaint`,
        `is_silent`."""
        usual = {
            "cards": 1,
            "format": "S16_LE S32_LE",
            "channels": "8",
            "rate": "[11025 48000]",
            "complaint": "",
            "is_silent": False,
        }
        self._card.write_text(json.dumps({**usual, **changes}))

    def unplug(self) -> None:
        """The card has gone, and whoever records from it ends."""
        self.set(cards=0)
        os.kill(int(self._pid.read_text()), signal.SIGKILL)
