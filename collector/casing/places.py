"""Where boards and sensors sit in the casing."""

from collections.abc import Iterator
from math import cos, radians, sin

from collector.casing.sizes import Collector, Point

CLAMP_ANGLES = (60.0, 120.0, 240.0, 300.0)  # between the microphones of the ring
SENSOR_GAP = 0.6  # foam between the particle sensor and the wall, and play round it
SOCKETS = 3.0  # by which the sockets of the Raspberry Pi stand out over its short side


class Places:
    """Positions that follow from the sizes; heights are those of the assembled casing."""

    def __init__(self, sizes: Collector) -> None:
        self.sizes, self.casing = sizes, sizes.casing

    @property
    def deck(self) -> float:
        """Height of the upper level's lower side."""
        return self.casing.floor + self.casing.lower_height

    @property
    def lid(self) -> float:
        """Height of the lid's lower side."""
        return self.deck + self.casing.floor + self.casing.upper_height

    @property
    def pillars(self) -> list[Point]:
        """The four pillars in the corners."""
        x = self.casing.length / 2 - self.casing.pillar / 2
        y = self.casing.width / 2 - self.casing.pillar / 2
        return [(sx * x, sy * y) for sx in (-1, 1) for sy in (-1, 1)]

    @property
    def raspberry_pi(self) -> Point:
        """Centre of the board: its sockets reach the wall where x is greatest; the plug for its
        power reaches in between two pillars where y is least."""
        board = self.sizes.raspberry_pi
        return (
            self.casing.length / 2 - board.length / 2 - SOCKETS - 1.0,
            -self.casing.width / 2 + self.casing.pillar + 0.8 + board.width / 2,
        )

    @property
    def particle_sensor(self) -> Point:
        """Centre of the sensor, its inlet and outlet against the wall where y is greatest."""
        sensor = self.sizes.particle_sensor
        left = -self.casing.length / 2 + self.casing.pillar + 1.0
        return left + sensor.length / 2, self.casing.width / 2 - SENSOR_GAP - sensor.width / 2

    @property
    def partition(self) -> float:
        """The side towards the particle sensor of the wall round the gas sensor."""
        return self.particle_sensor[0] + self.sizes.particle_sensor.length / 2 + SENSOR_GAP

    @property
    def gas_sensor(self) -> Point:
        """Centre of the board, in its chamber."""
        board = self.sizes.gas_sensor
        return (
            self.partition + self.casing.partition + 1.5 + board.length / 2,
            self.casing.width / 2 - 8 - board.width / 2,
        )

    @property
    def accelerometer(self) -> Point:
        """Centre of the board, on the upper level's floor beside the middle, where the floor is stiffest."""
        return -20.0, -20.0

    @property
    def air_height(self) -> float:
        """Height above the upper floor at which the cover lies on the particle sensor."""
        return self.sizes.particle_sensor.height + 0.4

    @property
    def microphones(self) -> list[Point]:
        """The ports of all microphones, the centre first."""
        array = self.sizes.microphones
        step = 360 / array.ring_count
        return [
            (0.0, 0.0),
            *round_about(array.ring_radius, [array.ring_start + i * step for i in range(array.ring_count)]),
        ]

    @property
    def clamps(self) -> list[Point]:
        """Posts beside the round board, which hold its clamps."""
        radius = self.sizes.microphones.diameter / 2 + 0.6 + self.casing.post / 2
        return list(round_about(radius, CLAMP_ANGLES))

    @property
    def cover_posts(self) -> list[Point]:
        """Posts that hold the cover over the particle sensor and the gas sensor."""
        x, y = self.particle_sensor
        sensor, half = self.sizes.particle_sensor, self.casing.post / 2
        front = y - sensor.width / 2 - SENSOR_GAP - half
        return [(x - sensor.length / 3, front), (x + sensor.length / 3, front)]


def round_about(radius: float, angles: list[float] | tuple[float, ...]) -> Iterator[Point]:
    """Points on a circle round the origin."""
    for angle in angles:
        yield radius * cos(radians(angle)), radius * sin(radians(angle))
