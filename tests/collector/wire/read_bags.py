"""Prints what Debian's rosbag reads of bags, as JSON: of each bag its sets, of each set its messages by topic."""

import json
import sys
from collections import defaultdict
from typing import Any

import rosbag

FIELDS = {
    "/set": ("number", "monotonic", "spread", "dropped"),
    "/microphones": ("sample_rate", "channels", "first_frame"),
    "/acceleration": ("first_sample",),
    "/air": ("age", "pm2_5"),
    "/gas": ("temperature", "pressure"),
}


def described(topic: str, message: Any) -> dict[str, float]:
    fields = {name: getattr(message, name) for name in FIELDS[topic]} | {"stamp": message.header.stamp.to_sec()}
    if topic == "/microphones":
        fields["frames"] = len(message.data) // (2 * message.channels)
    if topic == "/acceleration":
        fields["samples"] = len(message.x)
    return fields


def sets(path: str) -> list[dict[str, dict[str, float]]]:
    """What lies in one chunk of the bag is one set."""
    found: defaultdict[int, dict[str, dict[str, float]]] = defaultdict(dict)
    with rosbag.Bag(path) as bag:
        connections = bag._get_connections()
        places = sorted((entry.chunk_pos, entry.offset) for entry in bag._get_entries(connections))
        for place in places:
            topic, message, _ = bag._read_message(place)
            found[place[0]][topic] = described(topic, message)
    return list(found.values())


json.dump([sets(path) for path in sys.argv[1:]], sys.stdout)
