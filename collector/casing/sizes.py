"""Sizes of boards and sensors, which the builder measures, and of the casing, which the builder chooses.

Where the sizes come from is said in docs/how-to/build-the-collector.md.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, PositiveFloat

Point = tuple[float, float]


class Sizes(BaseModel):
    """Sizes that a file may replace; a name that does not exist is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Board(Sizes):
    """A rectangular board; its holes and what stands on it are measured from its centre.

    `above` and `below` are the heights of the tallest component on either side.
    """

    length: PositiveFloat
    width: PositiveFloat
    thickness: PositiveFloat = 1.6
    above: PositiveFloat
    below: PositiveFloat = 2.0
    hole_spacing: Point
    hole_centre: Point = (0.0, 0.0)

    @property
    def holes(self) -> list[Point]:
        """Centres of the four holes."""
        (across, along), (x, y) = self.hole_spacing, self.hole_centre
        return [(x + sx * across / 2, y + sy * along / 2) for sx in (-1, 1) for sy in (-1, 1)]


class ParticleSensor(Sizes):
    """A closed box that draws air through one side: inlet and outlet lie at those distances from the side's centre."""

    length: PositiveFloat = 50.2
    width: PositiveFloat = 38.4
    height: PositiveFloat = 21.4
    inlet: float = 16.0
    inlet_width: PositiveFloat = 12.0
    outlet: float = -10.8
    outlet_width: PositiveFloat = 18.0


class MicrophoneArray(Sizes):
    """A round board with a microphone in its centre and a ring of them; their ports face the lid."""

    diameter: PositiveFloat = 90.0
    thickness: PositiveFloat = 1.6
    components: PositiveFloat = 9.0
    port: PositiveFloat = 2.0  # diameter of what a microphone hears through
    ring_radius: PositiveFloat = 43.0
    ring_count: int = 6
    ring_start: float = 90.0
    plug_width: PositiveFloat = 13.0
    plug_height: PositiveFloat = 10.0


class Casing(Sizes):
    """What is printed."""

    length: PositiveFloat = 104.0  # inside
    width: PositiveFloat = 104.0  # inside
    wall: PositiveFloat = 2.8
    floor: PositiveFloat = 2.4
    lid: PositiveFloat = 3.0
    partition: PositiveFloat = 2.0
    lower_height: PositiveFloat = 32.0  # inside, from the floor to the upper level
    upper_height: PositiveFloat = 41.5  # inside, from the floor to the lid
    play: PositiveFloat = 0.3  # between parts that fit into each other
    pillar: PositiveFloat = 9.0
    post: PositiveFloat = 6.4
    standoff: PositiveFloat = 5.0
    insert: PositiveFloat = 3.5  # hole of a heat-set insert M2.5
    pillar_insert: PositiveFloat = 4.0  # hole of a heat-set insert M3
    pillar_insert_depth: PositiveFloat = 8.0
    screw: PositiveFloat = 3.4  # what an M3 screw slides through
    small_screw: PositiveFloat = 2.8  # what an M2.5 screw slides through
    slot: PositiveFloat = 2.0  # a louvre's slot, measured up the wall
    slot_pitch: PositiveFloat = 5.0
    sound_hole: PositiveFloat = 4.0
    sound_mouth: PositiveFloat = 8.0
    gasket: PositiveFloat = 1.0  # between the microphones' board and the lid
    window: PositiveFloat = 3.2  # of a light pipe of 3 mm
    plate: PositiveFloat = 5.0  # of the bracket
    ear: PositiveFloat = 34.0  # by which the bracket reaches beyond the casing
    foot: PositiveFloat = 12.0  # from the bracket to where a pad begins
    pad: PositiveFloat = 3.0  # felt or TPU, thick
    pad_diameter: PositiveFloat = 14.0
    pad_recess: PositiveFloat = 1.0
    cup_head: PositiveFloat = 9.0  # of a suction cup
    cup_neck: PositiveFloat = 5.2


class Printer(Sizes):
    """What the printer can do."""

    bed: tuple[float, float, float] = (220.0, 220.0, 250.0)
    thinnest: PositiveFloat = 1.2
    steepest: PositiveFloat = 45.0  # overhang from the vertical that needs no support
    bridge: PositiveFloat = 16.0


class Collector(Sizes):
    """Everything that the model is made from."""

    # The centre of the four holes lies 10 mm towards the SD card; the sockets stand out by 3 mm and 2 mm.
    raspberry_pi: Board = Board(
        length=85.0,
        width=56.0,
        thickness=1.4,
        above=16.5,
        below=3.0,
        hole_spacing=(58.0, 49.0),
        hole_centre=(-10.0, 0.0),
    )
    gas_sensor: Board = Board(length=17.8, width=25.4, above=4.0, hole_spacing=(12.7, 20.3))
    accelerometer: Board = Board(length=25.4, width=17.8, above=4.0, hole_spacing=(20.3, 12.7))
    particle_sensor: ParticleSensor = ParticleSensor()
    microphones: MicrophoneArray = MicrophoneArray()
    casing: Casing = Casing()
    printer: Printer = Printer()


def read(path: Path | None) -> Collector:
    """The sizes of a YAML file, those that it leaves out as they are above.

    Raises:
        pydantic.ValidationError: a size is unknown or no length.
    """
    return changed({} if path is None else yaml.safe_load(path.read_text()) or {})


def changed(sizes: object) -> Collector:
    """The sizes above with others in the place of some; raises as `read`."""
    return Collector.model_validate(replaced(Collector().model_dump(), sizes))


def replaced(kept: object, by: object) -> object:
    """A mapping in which another's values stand in the place of its own, on every level."""
    if not (isinstance(kept, Mapping) and isinstance(by, Mapping)):
        return by
    return {**kept, **{key: replaced(kept.get(key), value) for key, value in by.items()}}
