"""Reads a bag with ROS' own rosbag and prints how long it took, as JSON; run by the Python that has ROS."""

import json
import sys
import time

import rosbag


def main() -> None:
    """Read every message of the bag that is named on the command line, each made into an object."""
    start = time.perf_counter()
    with rosbag.Bag(sys.argv[1]) as bag:
        messages = sum(1 for _ in bag.read_messages())
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - start, "messages": messages}) + "\n")


if __name__ == "__main__":
    main()
