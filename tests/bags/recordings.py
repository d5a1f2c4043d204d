"""Tiny recordings of each format, written by the libraries that others use."""

from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.rosbag2.storage_mcap import McapWriter
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from bags.signals import NANOSECONDS

START = 1_700_000_000 * NANOSECONDS
CHUNK_TYPE = "atlas_collector/msg/AudioChunk"
SHAKE_TYPE = "atlas_collector/msg/Acceleration"
GAS_TYPE = "atlas_collector/msg/GasReading"
_CHUNK = "std_msgs/Header header\nuint32 sample_rate\nuint8 channels\nuint64 first_frame\nuint8[] data\n"
_SHAKE = "std_msgs/Header header\nfloat32 sample_rate\nuint64 first_sample\nfloat32[] x\nfloat32[] y\nfloat32[] z\n"
_GAS = "std_msgs/Header header\nfloat32 temperature\nfloat32 humidity\nfloat32 pressure\nfloat32 gas_resistance\n"


def typestore(ros: int) -> Typestore:
    """The types of a distribution of ROS 1 or 2, and those of Atlas."""
    store = get_typestore(Stores.ROS1_NOETIC if ros == 1 else Stores.ROS2_HUMBLE)
    for definition, name in ((_CHUNK, CHUNK_TYPE), (_GAS, GAS_TYPE), (_SHAKE, SHAKE_TYPE)):
        store.register(get_types_from_msg(definition, name))
    return store


def header(store: Typestore, time_ns: int, ros: int) -> Any:
    stamp = store.types["builtin_interfaces/msg/Time"](sec=time_ns // NANOSECONDS, nanosec=time_ns % NANOSECONDS)
    more = {"seq": 0} if ros == 1 else {}
    return store.types["std_msgs/msg/Header"](stamp=stamp, frame_id="car", **more)


def temperature(store: Typestore, time_ns: int, value: float, ros: int) -> Any:
    return store.types["sensor_msgs/msg/Temperature"](header(store, time_ns, ros), temperature=value, variance=0.5)


def audio(store: Typestore, time_ns: int, first_frame: int, samples: Any, ros: int, rate: int = 1000) -> Any:
    """A chunk of (n, channels) samples from a time on; its stamp is when it was complete."""
    content = np.frombuffer(np.asarray(samples, "<i2").tobytes(), np.uint8)
    frames, channels = np.asarray(samples).shape
    complete = header(store, time_ns + frames * NANOSECONDS // rate, ros)
    return store.types[CHUNK_TYPE](complete, rate, channels, first_frame, content)


def shaking(store: Typestore, time_ns: int, first_sample: int, samples: Any, ros: int, rate: float = 100.0) -> Any:
    """A chunk of (n, 3) accelerations; its stamp is when it was complete."""
    x, y, z = np.asarray(samples, np.float32).reshape(-1, 3).T.copy()
    return store.types[SHAKE_TYPE](header(store, time_ns, ros), rate, first_sample, x, y, z)


Entry = tuple[str, str, int, Any]  # topic, type, time it was recorded, message


def write_ros1(path: Path, entries: list[Entry], *, compression: str = "", chunk_bytes: int = 4000) -> Path:
    store, connections = typestore(1), {}
    writer = Writer1(path)
    writer.chunk_threshold = chunk_bytes
    if compression:
        writer.set_compression(Writer1.CompressionFormat[compression])
    with writer:
        for topic, kind, time_ns, message in entries:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=store)
            writer.write(connections[topic], time_ns, store.serialize_ros1(message, kind))
    return path


def write_ros2(folder: Path, entries: list[Entry], plugin: StoragePlugin, *, compressed: bool = False) -> Path:
    """The one file of a bag of ROS 2, without its metadata.yaml."""
    store, connections = typestore(2), {}
    writer = Writer2(folder, version=9, storage_plugin=plugin)
    if compressed:
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer:
        for number, (topic, kind, time_ns, message) in enumerate(entries):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=store)
            writer.write(connections[topic], time_ns, store.serialize_cdr(message, kind))
            if isinstance(writer.storage, McapWriter) and number % 50 == 49:
                writer.storage.close_chunk()  # else one chunk takes them all
    [found] = [path for path in folder.iterdir() if path.suffix in (".db3", ".mcap")]
    return found


KINDS = ["bag", "bag-lz4", "bag-bz2", "db3", "mcap", "mcap-zstd"]


def write(kind: str, folder: Path, entries: list[Entry]) -> Path:
    """A bag of one of KINDS; entries must be of its ROS (see `ros_of`)."""
    name, _, compression = kind.partition("-")
    if name == "bag":
        return write_ros1(folder / "a.bag", entries, compression=compression.upper())
    plugin = StoragePlugin.SQLITE3 if name == "db3" else StoragePlugin.MCAP
    return write_ros2(folder / "bag", entries, plugin, compressed=bool(compression))


def ros_of(kind: str) -> int:
    return 1 if kind.startswith("bag") else 2


def temperatures(count: int, ros: int) -> list[Entry]:
    """One a second; each says its number."""
    store = typestore(ros)
    times = [START + number * NANOSECONDS for number in range(count)]
    return [
        ("/air", "sensor_msgs/msg/Temperature", time, temperature(store, time, float(number), ros))
        for number, time in enumerate(times)
    ]
