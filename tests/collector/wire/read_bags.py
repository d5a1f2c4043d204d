"""Prints what Debian's rosbag reads of bags, as JSON: of each bag its sets, of each set its messages by topic."""

import json
import sys

import rosbag

FIELDS = {
    "/set": ("number", "monotonic", "spread", "dropped"),
    "/microphones": ("sample_rate", "channels", "first_frame"),
    "/acceleration": ("first_sample",),
    "/air": ("age", "pm2_5"),
    "/gas": ("temperature", "pressure"),
}


def described(topic, message):
    fields = {name: getattr(message, name) for name in FIELDS[topic]}
    fields["stamp"] = message.header.stamp.to_sec()
    if topic == "/microphones":
        fields["frames"] = len(message.data) // (2 * message.channels)
        fields["first_sample"] = int.from_bytes(message.data[:2], "little", signed=True)
    if topic == "/acceleration":
        fields["samples"] = len(message.x)
    return fields


def sets(path):
    found, current = [], {}
    with rosbag.Bag(path) as bag:
        messages = [(topic, message) for topic, message, _ in bag.read_messages()]
    by_stamp = {}
    for topic, message in messages:
        by_stamp.setdefault(topic, []).append(described(topic, message))
    for number, info in enumerate(by_stamp.get("/set", [])):
        current = {topic: of[number] for topic, of in by_stamp.items() if len(of) == len(by_stamp["/set"])}
        found.append(current)
    return found


print(json.dumps([sets(path) for path in sys.argv[1:]]))
