"""The node that sends finished parts to the ingestion engine."""

import logging
import sys
import threading

import rospy

from atlas_collector import ros_log
from atlas_collector.settings import SettingsError, checked
from atlas_collector.upload import Engine, Uploader, token_in

_log = logging.getLogger(__name__)


def main() -> None:
    """Runs the node until ROS ends it."""
    rospy.init_node("uploader")
    ros_log.show()
    stop = threading.Event()
    rospy.on_shutdown(stop.set)
    try:
        settings = checked(rospy.get_param("/collector"))
        token = token_in(settings.upload.token_file)
    except SettingsError as error:
        _log.error("The settings cannot be used: %s.", error)
        sys.exit(1)
    if not settings.upload.url:
        _log.info("upload/url is empty: finished parts stay in %s.", settings.folder)
        rospy.spin()
        return
    engine = Engine(settings.upload.url, settings.upload.timeout_seconds, token=token)
    try:
        Uploader(settings, engine).run(stop)
    finally:
        engine.close()
