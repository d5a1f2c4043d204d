"""The printed parts, as they stand in the assembled casing."""

from collections.abc import Callable
from math import atan2, degrees

from build123d import Box, Cone, Cylinder, Part, Pos, Rot

from collector.casing.places import SENSOR_GAP, Places
from collector.casing.sizes import Board, Collector, Point

MORE = 1.0  # by which a cut reaches beyond what it cuts
SPIGOT = 1.5
TONGUE = 3.0


def printed(sizes: Collector) -> dict[str, Part]:
    """Every part by its name, placed as in the assembled casing."""
    places = Places(sizes)
    made: dict[str, Callable[[Places], Part]] = {
        "base": base,
        "deck": deck,
        "cover": cover,
        "lid": lid,
        "bracket": bracket,
    }
    parts = {name: make(places) for name, make in made.items()}
    return parts | {f"clamp {number}": clamp(places, at) for number, at in enumerate(places.clamps, 1)}


def block(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Part:
    """A box from its limits."""
    middle = [(low + high) / 2 for low, high in (x, y, z)]
    return Pos(*middle) * Box(x[1] - x[0], y[1] - y[0], z[1] - z[0])


def rod(at: Point, diameter: float, bottom: float, top: float) -> Part:
    """An upright cylinder."""
    return Pos(*at, (bottom + top) / 2) * Cylinder(diameter / 2, top - bottom)


def tray(places: Places, bottom: float, height: float) -> Part:
    """A floor with four walls and the pillars; `height` is that inside."""
    casing = places.casing
    x, y, top = casing.length / 2, casing.width / 2, bottom + casing.floor + height
    outer = block((-x - casing.wall, x + casing.wall), (-y - casing.wall, y + casing.wall), (bottom, top))
    hollow = outer - block((-x, x), (-y, y), (bottom + casing.floor, top + MORE))
    corner = casing.pillar / 2
    for px, py in places.pillars:
        sx, sy = (1 if px > 0 else -1), (1 if py > 0 else -1)
        hollow += rod((px, py), casing.pillar, bottom, top)
        hollow += block(*spans((px, py), (px + sx * (corner + MORE), py + sy * (corner + MORE))), (bottom, top))
    return hollow


def spans(first: Point, second: Point) -> tuple[tuple[float, float], tuple[float, float]]:
    """The limits in x and in y of the rectangle between two corners."""
    (x, u), (y, v) = (sorted(pair) for pair in zip(first, second, strict=True))
    return (x, u), (y, v)


def louvres(along: str, at: Point, width: float, bottom: float, top: float, places: Places) -> Part:
    """Slots through a wall that rise at 45° towards the inside, so that no light falls straight through."""
    casing, deep = places.casing, 8 * places.casing.wall
    turn = Rot(-45 if at[1] > 0 else 45, 0, 0) if along == "x" else Rot(0, 45 if at[0] > 0 else -45, 0)
    across = casing.slot / 2**0.5
    shape = Box(width, deep, across) if along == "x" else Box(deep, width, across)
    heights = []
    height = bottom + casing.slot
    while height <= top - casing.slot:
        heights.append(height)
        height += casing.slot_pitch
    return Part() + [Pos(*at, height) * turn * shape for height in heights]


def standing(board: Board, at: Point, floor: float, places: Places) -> tuple[Part, Part]:
    """Posts for the board's holes, and the holes for their inserts."""
    casing = places.casing
    centres = [(at[0] + x, at[1] + y) for x, y in board.holes]
    posts = [rod(centre, casing.post, floor - MORE, floor + casing.standoff) for centre in centres]
    holes = [rod(centre, casing.insert, floor + 0.2, floor + casing.standoff + MORE) for centre in centres]
    return Part() + posts, Part() + holes


def base(places: Places) -> Part:
    """The lower level: the Raspberry Pi, its sockets, its warm air, and what the bracket is screwed to."""
    casing, top = places.casing, places.deck
    posts, holes = standing(places.sizes.raspberry_pi, places.raspberry_pi, casing.floor, places)
    part = tray(places, 0, casing.lower_height) + posts - holes
    for at in places.pillars:
        part += rod(at, casing.pillar - 1, top - MORE, top + SPIGOT)
        part -= rod(at, casing.pillar_insert, top + SPIGOT - casing.pillar_insert_depth, top + SPIGOT + MORE)
        part -= rod(at, casing.pillar_insert, -MORE, casing.pillar_insert_depth)
    return part - sockets(places) - warm_air(places)


def sockets(places: Places) -> Part:
    """Openings for the sockets, which reach up to the upper level, the SD card, and the lights."""
    casing, board, (x, y) = places.casing, places.sizes.raspberry_pi, places.raspberry_pi
    right, front, left = casing.length / 2, -casing.width / 2, -casing.length / 2
    face = casing.floor + casing.standoff + board.thickness
    beyond = casing.wall + MORE
    usb = block(
        (right - MORE, right + beyond), (y - board.width / 2 + 1, y + board.width / 2), (face - 1, places.deck + 3)
    )
    start = x - board.length / 2
    power = block((start + 4, start + 60), (front - beyond, front + MORE), (face - 1, places.deck + 3))
    card = block((left - beyond, left + MORE), (y - 7, y + 7), (face - 5, face))
    lights = [
        Pos(left - casing.wall / 2, y + offset, face + 2) * Rot(0, 90, 0) * Cylinder(casing.window / 2, 2 * beyond)
        for offset in (-20.0, -14.0)
    ]
    return usb + power + card + lights


def warm_air(places: Places) -> Part:
    """Slots on the side without sensors, and through the floor, which is the upper side on a windscreen."""
    casing = places.casing
    left = louvres("y", (-casing.length / 2 - casing.wall / 2, 15.0), 40, casing.floor + 2, places.deck - 3, places)
    floor = [block((x - 1.5, x + 1.5), (18, 42), (-MORE, casing.floor + MORE)) for x in range(-30, 31, 6)]
    return left + floor


def deck(places: Places) -> Part:
    """The upper level: sensors, each with its air, and a passage for their wires."""
    casing, bottom = places.casing, places.deck
    floor = bottom + casing.floor
    part = tray(places, bottom, casing.upper_height) + chambers(places, floor)
    for board, at in ((places.sizes.gas_sensor, places.gas_sensor), (places.sizes.accelerometer, places.accelerometer)):
        posts, holes = standing(board, at, floor, places)
        part = part + posts - holes
    for at in places.pillars:
        part -= rod(at, casing.screw, bottom - MORE, places.lid + MORE)
        part -= rod(at, casing.pillar - 1 + 2 * casing.play, bottom - MORE, bottom + SPIGOT + 0.2)
    return part + fin(places) - air(places) - cables(places)


def chambers(places: Places, floor: float) -> Part:
    """Fences round the particle sensor, the wall round the gas sensor, and the posts of their cover."""
    casing, sensor, (x, y) = places.casing, places.sizes.particle_sensor, places.particle_sensor
    top, back = floor + places.air_height, casing.width / 2
    front = y - sensor.width / 2 - SENSOR_GAP
    left = x - sensor.length / 2 - SENSOR_GAP
    walls = [
        block((left - casing.partition, left), (front, front + 8), (floor - MORE, floor + 10)),
        block((places.partition, places.partition + casing.partition), (front, back + MORE), (floor - MORE, top)),
        block((places.partition, casing.length / 2 + MORE), (front, front + casing.partition), (floor - MORE, top)),
    ]
    posts = [rod(at, casing.post, floor - MORE, top) for at in places.cover_posts]
    holes = [rod(at, casing.insert, top - 6, top + MORE) for at in places.cover_posts]
    wires = block((places.partition + 8, places.partition + 14), (front - MORE, front + 4), (top - 4, top + MORE))
    return Part() + walls + posts - holes - wires


def air(places: Places) -> Part:
    """Louvres before the particle sensor's inlet and outlet and before the gas sensor."""
    casing, sensor, x = places.casing, places.sizes.particle_sensor, places.particle_sensor[0]
    bottom = places.deck + casing.floor
    wall = casing.width / 2 + casing.wall / 2
    inlet = louvres("x", (x + sensor.inlet, wall), sensor.inlet_width, bottom + 1, bottom + sensor.height, places)
    outlet = louvres("x", (x + sensor.outlet, wall), sensor.outlet_width, bottom + 1, bottom + sensor.height, places)
    gas = louvres("x", (places.gas_sensor[0] - 2, wall), 14, bottom + 1, bottom + sensor.height, places)
    return within_wall(inlet + outlet + gas, places)


def within_wall(cut: Part, places: Places) -> Part:
    """The part of a cut that lies in or beyond the wall where y is greatest."""
    back = places.casing.width / 2
    return cut & block((-200, 200), (back - 0.01, back + 30), (0, 200))


def fin(places: Places) -> Part:
    """A fin outside that keeps what the particle sensor blows out from its inlet."""
    sensor, back = places.sizes.particle_sensor, places.casing.width / 2 + places.casing.wall
    inner = sensor.inlet - sensor.inlet_width / 2
    outer = sensor.outlet + sensor.outlet_width / 2
    x = places.particle_sensor[0] + (inner + outer) / 2
    return block((x - 1, x + 1), (back - MORE, back + 8), (places.deck, places.lid - 4))


def cables(places: Places) -> Part:
    """The passage to the lower level, and the opening for the microphones' plug."""
    casing, plug = places.casing, places.sizes.microphones
    board = places.lid - casing.gasket - plug.thickness
    passage = block((0, 24), (-8, 2), (places.deck - MORE, places.deck + casing.floor + MORE))
    right = casing.length / 2
    half = plug.plug_width / 2 + 1
    opening = block(
        (right - MORE, right + casing.wall + MORE), (-half, half), (board - plug.plug_height, places.lid + MORE)
    )
    return passage + opening


def cover(places: Places) -> Part:
    """Closes the gas sensor's chamber and holds the particle sensor down, with a strip of foam under it."""
    casing, sensor, (x, y) = places.casing, places.sizes.particle_sensor, places.particle_sensor
    bottom = places.deck + casing.floor + places.air_height
    top = bottom + casing.floor
    front = y - sensor.width / 2 - SENSOR_GAP - casing.post
    plate = block(
        (x - sensor.length / 2, casing.length / 2 - casing.play), (front, casing.width / 2 - casing.play), (bottom, top)
    )
    for at in places.pillars:
        plate -= rod(at, casing.pillar + 2 * casing.play, bottom - MORE, top + MORE)
        plate -= corner_of(at, casing.pillar / 2 + casing.play, bottom, top)
    for at in places.cover_posts:
        plate -= rod(at, casing.small_screw, bottom - MORE, top + MORE)
    return plate


def corner_of(at: Point, half: float, bottom: float, top: float) -> Part:
    """What lies between a pillar and the corner of the casing, with play round it."""
    sx, sy = (1 if at[0] > 0 else -1), (1 if at[1] > 0 else -1)
    far = (at[0] + sx * 20, at[1] + sy * 20)
    wide = block(*spans((at[0], at[1] - sy * half), far), (bottom - MORE, top + MORE))
    return wide + block(*spans((at[0] - sx * half, at[1]), far), (bottom - MORE, top + MORE))


def lid(places: Places) -> Part:
    """The microphones' side: a hole before each, a tongue into the upper level, posts for the clamps."""
    casing, bottom = places.casing, places.lid
    top, x, y = bottom + casing.lid, casing.length / 2, casing.width / 2
    part = block((-x - casing.wall, x + casing.wall), (-y - casing.wall, y + casing.wall), (bottom, top))
    part += tongue(places)
    seat = casing.gasket + places.sizes.microphones.thickness
    for at in places.clamps:
        part = part + rod(at, casing.post, bottom - seat, bottom + MORE)
        part -= rod(at, casing.insert, bottom - seat - MORE, top - 1.4)
    for at in places.pillars:
        part -= rod(at, casing.screw, bottom - MORE, top + MORE)
        part -= Pos(*at, top - 0.8) * Cone(casing.screw / 2 - 0.1, casing.screw / 2 + 1.5, 1.6)
    return part - sound(places)


def tongue(places: Places) -> Part:
    """Four strips that centre the lid in the upper level's walls, between the pillars."""
    casing, z = places.casing, (places.lid - TONGUE, places.lid + MORE)
    x, y = casing.length / 2 - casing.play, casing.width / 2 - casing.play
    inside, thick = 2.0, casing.pillar + 2.0
    long_x, long_y = casing.length / 2 - thick, casing.width / 2 - thick
    plug = places.sizes.microphones.plug_width / 2 + 2
    strips = [
        block((-long_x, long_x), (side * y - inside * (side > 0), side * y + inside * (side < 0)), z)
        for side in (-1, 1)
    ]
    strips.append(block((-x, -x + inside), (-long_y, long_y), z))
    strips += [block((x - inside, x), span, z) for span in ((-long_y, -plug), (plug, long_y))]
    return Part() + strips


def sound(places: Places) -> Part:
    """A hole before each microphone that opens like a horn, where foam against wind is pressed in."""
    casing, top = places.casing, places.lid + places.casing.lid
    deep = (casing.sound_mouth - casing.sound_hole) / 2
    horn = Cone(casing.sound_hole / 2, casing.sound_mouth / 2, deep)
    holes = [rod(at, casing.sound_hole, places.lid - MORE, top) for at in places.microphones]
    return Part() + holes + [Pos(*at, top - deep / 2) * horn for at in places.microphones]


def clamp(places: Places, at: Point) -> Part:
    """A small plate that holds the rim of the microphones' board."""
    casing, array = places.casing, places.sizes.microphones
    top = places.lid - casing.gasket - array.thickness
    distance = (at[0] ** 2 + at[1] ** 2) ** 0.5
    inward = 3.0
    reach = distance - array.diameter / 2 + inward
    half = casing.post / 2
    plate = Pos((half - reach) / 2, 0, 0) * Box(reach + half, 2 * half + 2, 3)
    turned = Rot(0, 0, angle_of(at)) * (plate - Cylinder(casing.small_screw / 2, 5))
    return Pos(*at, top - 1.5) * turned


def angle_of(at: Point) -> float:
    """The direction of a point, seen from the middle."""
    return degrees(atan2(at[1], at[0]))


def bracket(places: Places) -> Part:
    """The plate between casing and windscreen: feet with soft pads, and keyholes for suction cups."""
    casing = places.casing
    x, y, low = casing.length / 2 + casing.wall, casing.width / 2 + casing.wall, -casing.plate
    part = block((-x, x), (-y - casing.ear, y + casing.ear), (low, 0))
    part -= block((-x + 14, x - 14), (16, 44), (low - MORE, MORE))
    for at in places.pillars:
        part -= rod(at, casing.screw, low - MORE, MORE)
        part -= Pos(*at, low + 0.8) * Cone(casing.screw / 2 + 1.5, casing.screw / 2 - 0.1, 1.6)
    for side in (-1, 1):
        for end in (-1, 1):
            part -= keyhole((side * x / 2, end * (y + casing.ear / 2)), places)
        part += foot((side * (x - 10), 0), places)
        part += foot((0, side * (y + casing.ear - 12)), places)
    tether = rod((x - 8, -y - casing.ear + 8), 5, low - MORE, MORE)
    return part - pads(places) - tether


def keyhole(at: Point, places: Places) -> Part:
    """Where a suction cup's head goes through, and the slot in which its neck is held."""
    casing, z = places.casing, (-places.casing.plate - MORE, MORE)
    head = rod((at[0], at[1] - 6), casing.cup_head, *z)
    slot = block((at[0] - casing.cup_neck / 2, at[0] + casing.cup_neck / 2), (at[1] - 6, at[1] + 6), z)
    return head + slot + rod((at[0], at[1] + 6), casing.cup_neck, *z)


def feet(places: Places) -> list[Point]:
    """The middles of the four feet."""
    casing = places.casing
    x, y = casing.length / 2 + casing.wall, casing.width / 2 + casing.wall
    return [(side * (x - 10), 0.0) for side in (-1, 1)] + [(0.0, side * (y + casing.ear - 12)) for side in (-1, 1)]


def foot(at: Point, places: Places) -> Part:
    """A foot of the bracket, from the plate towards the glass."""
    low = -places.casing.plate
    return rod(at, places.casing.pad_diameter + 4, low - places.casing.foot, low + MORE)


def pads(places: Places) -> Part:
    """Recesses at the feet's ends, in which pads are glued."""
    casing, end = places.casing, -places.casing.plate - places.casing.foot
    return Part() + [rod(at, casing.pad_diameter, end - MORE, end + casing.pad_recess) for at in feet(places)]
