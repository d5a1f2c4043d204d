"""Just enough of Protocol Buffers to look into a file without the classes that its schema would be compiled to."""

from collections.abc import Iterator

VARINT, EIGHT_BYTES, COUNTED, FOUR_BYTES = 0, 1, 2, 5
"""How a field is written (https://protobuf.dev/programming-guides/encoding/)."""


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The number and the value of each field: an integer, or the bytes of a text, a list or another message.

    Args:
        message: as a view of single bytes.

    Raises:
        ValueError: it is no message.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
        else:
            start, place = _extent(message, place, kind)
            yield key >> 3, message[start:place]


def children(message: memoryview, number: int) -> Iterator[memoryview]:
    """The bytes of all fields of this number.

    Raises:
        ValueError: it is no message.
    """
    return (value for found, value in fields(message) if found == number and isinstance(value, memoryview))


def _extent(message: memoryview, place: int, kind: int) -> tuple[int, int]:
    """Where a value of several bytes begins and ends."""
    if kind == COUNTED:
        size, start = _varint(message, place)
    elif kind in (EIGHT_BYTES, FOUR_BYTES):
        size, start = (8 if kind == EIGHT_BYTES else 4), place
    else:
        raise ValueError(f"A field is written in way {kind}, which there is not.")
    if start + size > len(message):
        raise ValueError("A field is longer than its message.")
    return start, start + size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """An integer, seven bits a byte, the lowest first; and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("The message ends within an integer.")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("An integer has more than ten bytes.")
