"""The node of one sensor: publishes at each tick what its driver measured."""

import logging
import pkgutil
import sys
import threading
from collections.abc import Mapping

import rospy
from std_msgs.msg import Header

import atlas_collector.msg
from atlas_collector.drivers import Driver
from atlas_collector.keeper import Keeper
from atlas_collector.ticks import NANOSECONDS, ticks

_QUEUE = 10  # messages that wait for a slow listener
_log = logging.getLogger("rosout")  # what rospy shows, keeps in a file, and publishes


def main() -> None:
    """Runs the node `sensor_<name>`; the sensor's name is its argument."""
    arguments = rospy.myargv(sys.argv)
    if len(arguments) != 2:
        sys.exit("usage: sensor NAME, where NAME is a sensor of /collector/sensors")
    name = arguments[1]
    rospy.init_node(f"sensor_{name}")
    try:
        _publish(name, _driver(name))
    except Exception:  # noqa: BLE001 - whatever it is, the log has it
        _log.exception("%s: the sensor's node ends, and is started again.", name)
        sys.exit(1)


def _driver(name: str) -> Driver:
    """The sensor's driver with its settings from the parameter server."""
    settings = rospy.get_param(f"/collector/sensors/{name}", None)
    if not isinstance(settings, Mapping) or "driver" not in settings:
        raise ValueError(f"/collector/sensors/{name}/driver is not set: write there which driver reads this sensor")
    driver = pkgutil.resolve_name(str(settings["driver"]))
    if not (isinstance(driver, type) and issubclass(driver, Driver)):
        raise TypeError(f"/collector/sensors/{name}/driver: {settings['driver']} is no driver")
    return driver(settings)


def _publish(name: str, driver: Driver) -> None:
    kind = getattr(atlas_collector.msg, driver.message)
    publisher = rospy.Publisher(f"/{name}", kind, queue_size=_QUEUE)
    keeper = Keeper(name, driver, _log)
    stop = threading.Event()
    rospy.on_shutdown(stop.set)
    try:
        for tick in ticks(float(rospy.get_param("/collector/interval")), stop):
            fields = keeper.read()
            if fields is not None:
                publisher.publish(kind(header=Header(stamp=rospy.Time(*divmod(tick, NANOSECONDS))), **fields))
    finally:
        keeper.close()
