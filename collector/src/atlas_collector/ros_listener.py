"""The node that records: it hears all sensors, puts together what agrees in time, and writes it.

Three kinds of threads: those of rospy bring the messages; one writes sets, and waits for the disk as long as the disk
wants; the main one tells how it goes.
"""

import logging
import math
import pkgutil
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import rospy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

import atlas_collector.msg
from atlas_collector import board, diagnostics
from atlas_collector.bag_file import Rosbags, set_message
from atlas_collector.clock import NANOSECONDS, ClockWatch, Instant
from atlas_collector.diagnostics import Level, Period, Snapshot
from atlas_collector.parts import Reason
from atlas_collector.recorder import SET_TOPIC, Recorder
from atlas_collector.recording_settings import Recording
from atlas_collector.room import free_bytes
from atlas_collector.salvage import salvage_folder
from atlas_collector.settings import Settings, SettingsError, checked
from atlas_collector.synchroniser import MessageSet, Synchronisation, Synchroniser

_QUEUE = 20  # messages of a topic that wait for partners, and that rospy holds for us
_SETS = 60  # that wait for a slow disk: a minute at one tick a second
_PATIENCE_SECONDS = 2.0  # that messages wait for partners, at least
_TURN_SECONDS = 0.1  # how often the writer looks whether something is due
_LINE_SECONDS = 60.0
_RATE_SECONDS = 5.0  # what rates on /diagnostics are taken over, at least

_log = logging.getLogger("rosout")  # what rospy shows, keeps in a file, and publishes

Work = MessageSet | Reason  # a reason to close the part, in its place among the sets


def main() -> None:
    """Runs the node until ROS or a signal ends it; the open part is closed then."""
    rospy.init_node("listener", disable_signals=True)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _end)
    _show_our_log()
    try:
        settings = checked(rospy.get_param("/collector"))
        sensors = message_types(settings.sensors)
        settings.folder.mkdir(parents=True, exist_ok=True)
        salvage_folder(settings.folder)
    except (SettingsError, OSError, ImportError, AttributeError) as error:
        _log.error("The listener cannot start: %s.", error)
        sys.exit(1)
    Listener(settings, sensors).run()


def message_types(sensors: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    """The class of each topic's messages, as the sensors' drivers have it.

    Raises:
        SettingsError: a sensor has no driver.
    """
    types = {}
    for name, settings in sensors.items():
        if "driver" not in settings:
            raise SettingsError(f"sensors/{name}/driver: not set; write which driver reads this sensor")
        driver = pkgutil.resolve_name(str(settings["driver"]))
        types[f"/{name}"] = getattr(atlas_collector.msg, driver.message)
    return types


class Listener:
    """Hears the sensors, and records."""

    def __init__(self, settings: Settings, types: Mapping[str, Any]) -> None:
        self._folder, self._types = settings.folder, types
        self._synchroniser = Synchroniser(_synchronisation(settings))
        self._recorder = Recorder(_recording(settings), Rosbags())
        self._work: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._overrun = 0
        self._lock = threading.Lock()  # sets from before the clock was set lie before that reason in the queue
        self._watch = ClockWatch(Instant.now())
        self._stop = threading.Event()
        self._sets = rospy.Publisher(SET_TOPIC, atlas_collector.msg.SetInfo, queue_size=_QUEUE)
        self._diagnostics = rospy.Publisher("/diagnostics", DiagnosticArray, queue_size=_QUEUE)

    def run(self) -> None:
        """Records until ROS ends the node."""
        rospy.on_shutdown(self._stop.set)
        writer = threading.Thread(target=self._write, name="writer")
        writer.start()
        subscribers = [
            rospy.Subscriber(topic, kind, self._heard(topic), queue_size=_QUEUE, buff_size=1 << 24, tcp_nodelay=True)
            for topic, kind in self._types.items()
        ]
        self._tell()
        for subscriber in subscribers:
            subscriber.unregister()
        writer.join()

    def _heard(self, topic: str) -> Callable[[Any], None]:
        def heard(message: Any) -> None:
            with self._lock:
                now = self._look_at_clock()
                self._hand_over(self._synchroniser.add(topic, message.header.stamp.to_nsec(), message, now))

        return heard

    def _look_at_clock(self) -> Instant:
        """This moment; where the clock was set, the part ends, and nothing that waits is used."""
        now = Instant.now()
        seconds = self._watch.jumped(now)
        if seconds is not None:
            _log.warning("The clock was set by %+.1f s: a new part begins.", seconds)
            self._synchroniser.forget()
            self._work.put(Reason.CLOCK)
        return now

    def _hand_over(self, sets: list[MessageSet]) -> None:
        """Gives sets to the writer, unless so many wait that the disk will not catch up."""
        for found in sets:
            if self._work.qsize() < _SETS:
                self._work.put(found)
            else:
                self._overrun += 1

    def _write(self) -> None:
        try:
            self._write_all()
        except Exception:  # noqa: BLE001 - a listener that hears and does not write is worse than one that starts anew
            _log.exception("The listener ends, and is started again.")
            rospy.signal_shutdown("the writer failed")
        finally:
            self._recorder.close(Reason.SHUTDOWN)

    def _write_all(self) -> None:
        """Writes what comes until the node ends, and then what is left."""
        while not (self._stop.is_set() and self._work.empty()):
            try:
                self._do(self._work.get(timeout=_TURN_SECONDS))
            except queue.Empty:
                with self._lock:
                    self._hand_over(self._synchroniser.expire(self._look_at_clock().monotonic))
            self._recorder.tick()
        for found in self._synchroniser.expire(math.inf):  # what still waited for a sensor that is not required
            self._do(found)

    def _do(self, work: Work) -> None:
        if isinstance(work, Reason):
            self._recorder.close(work)
            return
        info = self._recorder.record(work)
        if info:
            self._publish(self._sets, set_message(info))

    def _publish(self, publisher: Any, message: Any) -> None:
        try:
            publisher.publish(message)
        except rospy.ROSException as error:
            if not self._stop.is_set():  # while the node ends, topics close before the last sets are written
                _log.error("Nothing was published on %s: %s.", publisher.name, error)

    def _tell(self) -> None:
        """Tells each second and each minute how it goes, until the node ends."""
        start = minute = self._snapshot()
        lately = [start]
        while not self._stop.wait(1.0):
            now = self._snapshot()
            lately = [each for each in lately if now.monotonic - each.monotonic <= _RATE_SECONDS + 0.5] or [minute]
            self._publish(self._diagnostics, _array(Period(lately[0], now)))
            lately.append(now)
            if now.monotonic - minute.monotonic >= _LINE_SECONDS:
                period, minute = Period(minute, now), now
                _log.log(_LOG_LEVELS[diagnostics.level(period)], diagnostics.line(period))

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            monotonic=Instant.now().monotonic,
            counts=self._synchroniser.counts(),
            recorded=self._recorder.recorded,
            overrun=self._overrun,
            free_bytes=_free_bytes(self._folder),
            temperature=board.temperature(),
            is_undervolted=board.is_undervolted(),
        )


_LOG_LEVELS = {Level.OK: logging.INFO, Level.WARN: logging.WARNING, Level.ERROR: logging.ERROR}


def _synchronisation(settings: Settings) -> Synchronisation:
    return Synchronisation(
        required={f"/{name}": _is_required(name, sensor) for name, sensor in settings.sensors.items()},
        tolerance_seconds=settings.tolerance,
        queue_size=_QUEUE,
        patience_seconds=max(_PATIENCE_SECONDS, 2 * settings.interval),
    )


def _is_required(name: str, sensor: Mapping[str, object]) -> bool:
    required = sensor.get("required", True)
    if not isinstance(required, bool):
        raise SettingsError(f"sensors/{name}/required: {required!r} is neither true nor false; write one of them")
    return required


def _recording(settings: Settings) -> Recording:
    return Recording(
        folder=settings.folder,
        part_megabytes=settings.recording.part_megabytes,
        part_minutes=settings.recording.part_minutes,
        sync_seconds=settings.recording.sync_seconds,
        keep_free_megabytes=settings.recording.keep_free_megabytes,
    )


def _array(period: Period) -> Any:
    found = [
        DiagnosticStatus(
            level=int(status.level),
            name=f"collector: {status.name}",
            message=status.message,
            hardware_id="collector",
            values=[KeyValue(key, value) for key, value in status.values.items()],
        )
        for status in diagnostics.statuses(period)
    ]
    array = DiagnosticArray(status=found)
    array.header.stamp = rospy.Time(*divmod(Instant.now().wall_ns, NANOSECONDS))
    return array


def _free_bytes(folder: Path) -> int | None:
    try:
        return free_bytes(folder)
    except OSError:
        return None


def _show_our_log() -> None:
    """What the package's modules log goes where ROS' own log goes."""
    ours = logging.getLogger("atlas_collector")
    ours.setLevel(logging.INFO)
    ours.parent = _log


def _end(number: int, _frame: FrameType | None) -> None:
    rospy.signal_shutdown(signal.Signals(number).name)
