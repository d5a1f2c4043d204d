"""Where the numbers of messages of ROS 1 are: those of many that have the same texts are read at once."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bags.messages import Field, MessageType

_KINDS = {f"{kind}{bits}": f"<{kind[0]}{bits // 8}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
_KINDS |= {"float32": "<f4", "float64": "<f8"}
_DEEPEST = 16
_LENGTH = struct.Struct("<I")


class _UnknownPlaceError(Exception):
    """The place of a field depends on more than lengths of texts and of arrays of numbers."""


class Layout:
    """Where fields are in all messages that are as long as a sample, and whose texts are the sample's.

    Args:
        message_type: of the messages, of ROS 1.
        sample: a message that can be read.
    """

    def __init__(self, message_type: MessageType, sample: bytes) -> None:
        self._type, self._sample = message_type, sample
        self._places: dict[str, tuple[str, tuple[int, ...], int]] = {}
        self._fixed: list[slice] = []  # what must be as in the sample: texts, and lengths of arrays
        try:
            self.is_known = self._place("", "", 0, 0) == len(sample)
        except (_UnknownPlaceError, struct.error):
            self.is_known = False

    def read(self, contents: Sequence[bytes], names: Sequence[str]) -> npt.NDArray[Any] | None:
        """A field for each name such as `header.stamp.sec`, (n,) of n messages; None if one is not like the sample."""
        if not self.is_known or any(len(content) != len(self._sample) for content in contents):
            return None
        content = b"".join(contents)
        raw = np.frombuffer(content, np.uint8).reshape(len(contents), len(self._sample))
        sample = np.frombuffer(self._sample, np.uint8)
        if any((raw[:, part] != sample[part]).any() for part in self._fixed):
            return None
        places = [self._places[name] for name in names]
        dtype = np.dtype(
            {
                "names": list(names),
                "formats": [(kind, shape) for kind, shape, _ in places],
                "offsets": [offset for _, _, offset in places],
                "itemsize": len(self._sample),
            }
        )
        return np.frombuffer(content, dtype)

    def _place(self, type_name: str, above: str, offset: int, depth: int) -> int:
        """Notes the fields of a type from an offset on; where they end."""
        if depth > _DEEPEST:
            raise _UnknownPlaceError
        for field in self._type.fields(type_name):
            if field.is_message and field.length is None:
                offset = self._place(field.kind, f"{above}{field.name}.", offset, depth + 1)
            elif field.kind == "string" and field.length is None:
                end = offset + _LENGTH.size + _LENGTH.unpack_from(self._sample, offset)[0]
                self._fixed.append(slice(offset, end))
                offset = end
            else:
                offset = self._place_numbers(field, above + field.name, offset)
        return offset

    def _place_numbers(self, field: Field, name: str, offset: int) -> int:
        if field.is_message or field.kind not in _KINDS:
            raise _UnknownPlaceError
        kind, length = np.dtype(_KINDS[field.kind]), field.length
        if length == 0:
            (count,) = _LENGTH.unpack_from(self._sample, offset)
            self._fixed.append(slice(offset, offset + _LENGTH.size))
            return offset + _LENGTH.size + int(count) * kind.itemsize
        self._places[name] = (kind.str, () if length is None else (length,), offset)
        return offset + (length or 1) * kind.itemsize
