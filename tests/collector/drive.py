"""Records a drive with Debian's rosbag, and says of each set once it is written, and once it is on the disk.

Run by Debian's Python: drive.py FOLDER SETS SETTINGS, where SETTINGS are those of recordings as JSON.
"""

import json
import sys
import time
from pathlib import Path

from atlas_collector.msg import AudioChunk, GasReading

from atlas_collector.bag_file import Rosbags
from atlas_collector.clock import NANOSECONDS
from atlas_collector.parts import Reason
from atlas_collector.recorder import Recorder
from atlas_collector.recording_settings import Recording
from atlas_collector.synchroniser import Message, MessageSet

SECONDS = 0.02  # from one set to the next
SOUND_BYTES = 15_360  # of eight channels of 16 bits at 48 kHz in that time


def measured() -> MessageSet:
    """What two sensors measured now."""
    stamp, arrival = time.time_ns(), time.monotonic()
    gas, sound = GasReading(temperature=21.5), AudioChunk(sample_rate=48_000, channels=8, data=bytes(SOUND_BYTES))
    for message in (gas, sound):
        message.header.stamp.secs, message.header.stamp.nsecs = divmod(stamp, NANOSECONDS)
    return MessageSet((Message("/gas", stamp, arrival, gas), Message("/microphones", stamp, arrival, sound)), 0)


def main() -> None:
    """Says `written NUMBER`, `lost`, and `synced SETS`, where all sets with smaller numbers are on the disk."""
    folder, sets, settings = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    recorder = Recorder(Recording(folder=folder, **settings), Rosbags())
    synced = None
    for _ in range(sets):
        info = recorder.record(measured())
        print(f"written {info.number}" if info else "lost", flush=True)  # noqa: T201 - the test reads it
        recorder.tick()
        if recorder.recorded.synced != synced:
            synced = recorder.recorded.synced
            print(f"synced {recorder.recorded.sets}", flush=True)  # noqa: T201
        time.sleep(SECONDS)
    recorder.close(Reason.SHUTDOWN)


if __name__ == "__main__":
    main()
