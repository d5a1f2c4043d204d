"""Boards and sensors as solids with what stands on them, where they sit in the casing."""

from build123d import Part

from collector.casing.parts import block, rod
from collector.casing.places import SOCKETS, Places
from collector.casing.sizes import Board, Collector, Point


def placed(sizes: Collector) -> dict[str, Part]:
    """Every board by its name."""
    places = Places(sizes)
    lower, upper = sizes.casing.floor, places.deck + sizes.casing.floor
    return {
        "raspberry_pi": raspberry_pi(places, lower + sizes.casing.standoff),
        "gas_sensor": breakout(sizes.gas_sensor, places.gas_sensor, upper + sizes.casing.standoff),
        "accelerometer": breakout(sizes.accelerometer, places.accelerometer, upper + sizes.casing.standoff),
        "particle_sensor": particle_sensor(places, upper),
        "microphones": microphones(places),
    }


def sheet(board: Board, at: Point, bottom: float) -> Part:
    """The bare board with its holes."""
    (x, y), top = at, bottom + board.thickness
    half, deep = board.length / 2, board.width / 2
    holes = [rod((x + hx, y + hy), 2.7, bottom - 1, top + 1) for hx, hy in board.holes]
    return block((x - half, x + half), (y - deep, y + deep), (bottom, top)) - holes


def raspberry_pi(places: Places, bottom: float) -> Part:
    """The board with its sockets, SD card and pins."""
    board, (x, y) = places.sizes.raspberry_pi, places.raspberry_pi
    top = bottom + board.thickness
    right, left, front = x + board.length / 2, x - board.length / 2, y - board.width / 2
    sockets = block((right - 18, right + SOCKETS), (front + 2, front + 54), (top, top + board.above))
    power = block((left + 6, left + 58), (front - 2, front + 7), (top, top + 7))
    card = block((left - 2.5, left + 15), (y - 6, y + 6), (bottom - 2, bottom))
    pins = block((left + 7, left + 58), (y + board.width / 2 - 6, y + board.width / 2 - 1), (top, top + 8.5))
    return sheet(board, (x, y), bottom) + sockets + power + card + pins


def breakout(board: Board, at: Point, bottom: float) -> Part:
    """A small board with a sensor in its middle, and what lies under it."""
    (x, y), top = at, bottom + board.thickness
    inner, deep = board.length / 2 - 5.5, board.width / 2 - 5.5
    sensor = block((x - inner, x + inner), (y - deep, y + deep), (top, top + board.above))
    return sheet(board, at, bottom) + sensor + block((x - 2, x + 2), (y - 2, y + 2), (bottom - board.below, bottom))


def particle_sensor(places: Places, bottom: float) -> Part:
    """The closed box."""
    sensor, (x, y) = places.sizes.particle_sensor, places.particle_sensor
    half, deep = sensor.length / 2, sensor.width / 2
    return block((x - half, x + half), (y - deep, y + deep), (bottom, bottom + sensor.height))


def microphones(places: Places) -> Part:
    """The round board under the lid, with its components below it and the microphones' ports open."""
    array = places.sizes.microphones
    top = places.lid - places.casing.gasket
    bottom = top - array.thickness
    parts = [rod((0, 0), array.diameter - 14, bottom - array.components, bottom)]
    plug = block((array.diameter / 2 - 9, array.diameter / 2 + 1), (-4, 4), (bottom - 4, bottom))
    return rod((0, 0), array.diameter, bottom, top) + parts + plug
