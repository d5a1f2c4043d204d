"""How fast bags are read, beside ROS' own rosbag: many small messages, and few large ones.

    python -m benchmarks.bags [--json] [--only PART ...] [--rounds N] [--quick]

Wants Debian's python3-rosbag and python3-sensor-msgs, and their Python, /usr/bin/python3. Both read the same file, made
the first time and kept below the data folder. docs/reference/speed.md says what each figure is.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

import bags
from atlas_web.environment import Environment
from bags.losses import Losses
from bags.messages import MessageType, Topic
from bags.reading import BagFormat, messages
from bags.signals import NANOSECONDS
from benchmarks.figures import Figures, Targets, tell, wish
from benchmarks.scripts import ROOT

TARGETS: Targets = {"small_messages_vs_rosbag": ("≥", 1.0), "large_messages_vs_rosbag": ("≥", 1.0)}
ROS_PYTHON = "/usr/bin/python3"

_START = 1_700_000_000 * NANOSECONDS
_PICTURE = (480, 640)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A bag to read: the type of its messages, their content by number, and how many there are in a second."""

    type_name: str
    content: Callable[[int], bytes]
    per_second: int


def _imu() -> Callable[[int], bytes]:
    store = get_typestore(Stores.ROS1_NOETIC)
    vector, random = store.types["geometry_msgs/msg/Vector3"], np.random.default_rng(1)

    def content(number: int) -> bytes:
        first, second = (vector(*random.random(3).tolist()) for _ in range(2))
        turn = store.types["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
        imu = store.types["sensor_msgs/msg/Imu"](
            _header(store, number), turn, np.zeros(9), first, np.zeros(9), second, np.zeros(9)
        )
        return bytes(store.serialize_ros1(imu, "sensor_msgs/msg/Imu"))

    return content


def _picture() -> Callable[[int], bytes]:
    store = get_typestore(Stores.ROS1_NOETIC)
    height, width = _PICTURE
    pixels = np.random.default_rng(1).integers(0, 256, height * width * 3, np.uint8)

    def content(number: int) -> bytes:
        picture = store.types["sensor_msgs/msg/Image"](
            _header(store, number), height, width, "rgb8", 0, 3 * width, pixels
        )
        return bytes(store.serialize_ros1(picture, "sensor_msgs/msg/Image"))

    return content


def _header(store: Typestore, number: int) -> Any:
    types = store.types
    stamp = types["builtin_interfaces/msg/Time"](sec=1_700_000_000 + number // 100, nanosec=number % 100 * 10**7)
    return types["std_msgs/msg/Header"](seq=number, stamp=stamp, frame_id="car")


KINDS: Mapping[str, Kind] = {
    "small": Kind(type_name="sensor_msgs/msg/Imu", content=_imu(), per_second=100),
    "large": Kind(type_name="sensor_msgs/msg/Image", content=_picture(), per_second=10),
}


def made(kind: Kind, path: Path, size_bytes: int) -> Path:
    """A bag of that kind of messages and at least that size, if it is not there already."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        with Writer(Path(folder) / path.name) as writer:
            topic = writer.add_connection("/sensor", kind.type_name, typestore=get_typestore(Stores.ROS1_NOETIC))
            written = 0
            for number in count():
                content = kind.content(number)
                writer.write(topic, _START + number * NANOSECONDS // kind.per_second, content)
                written += len(content)
                if written >= size_bytes:
                    break
        (Path(folder) / path.name).rename(path)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How long a bag took, and how many messages were read."""

    seconds: float
    messages: int


def by_rosbag(path: Path) -> Reading:
    """Every message made into an object by rosbag and genpy."""
    command = [ROS_PYTHON, "-P", str(ROOT / "benchmarks" / "read_with_rosbag.py"), str(path)]
    return Reading(**json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def by_atlas(path: Path) -> Reading:
    """Every message made into an object by our own walk and rosbags' types."""
    start = time.perf_counter()
    read = sum(1 for _ in _objects(path))
    return Reading(seconds=time.perf_counter() - start, messages=read)


def _objects(path: Path) -> Iterator[object]:
    types: dict[Topic, MessageType] = {}
    for message in messages(path, BagFormat.ROS1, Losses()):
        known = types.get(message.topic)
        if known is None:
            known = types[message.topic] = MessageType(message.topic)
        yield known.read(message.content)


def into_channels(path: Path) -> float:
    """The seconds that all of a bag takes to become channels, as the ingestion engine and the viewer want them."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        bags.read(path, Path(folder))
    return time.perf_counter() - start


def measure(name: str, path: Path, rounds: int) -> Figures:
    """The medians of ratios and times; both read the same number of messages."""
    objects, channels, ours = [], [], []
    for _ in range(rounds):
        rosbag, atlas = by_rosbag(path), by_atlas(path)
        if rosbag.messages != atlas.messages:
            raise SystemExit(f"rosbag reads {rosbag.messages} messages of {path}, and Atlas {atlas.messages}")
        objects.append(rosbag.seconds / atlas.seconds)
        ours.append(into_channels(path))
        channels.append(rosbag.seconds / ours[-1])
    return {
        f"{name}_messages_vs_rosbag": median(channels),
        f"{name}_objects_vs_rosbag": median(objects),
        f"{name}_megabytes_a_second": path.stat().st_size / 1e6 / median(ours),
    }


def main() -> None:
    """Measure and print."""
    asked = wish(__doc__ or "", KINDS, rounds=5)
    size = 2 if asked.quick else 200
    folder = Environment.from_environment().data_dir / "benchmarks" / "bags"
    figures: Figures = {}
    for name in asked.only:
        path = made(KINDS[name], folder / f"{name}-{size}.bag", size << 20)
        figures |= measure(name, path, asked.rounds)
    tell(figures, TARGETS, as_json=asked.as_json)


if __name__ == "__main__":
    main()
