"""Messages of ROS: their definitions, which come from files that may be damaged or hostile, and their content."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.msg import normalize_msgtype
from rosbags.typesys.store import Typestore

_TYPE_NAME = re.compile(r"[A-Za-z]\w{0,99}(/[A-Za-z]\w{0,99}){1,2}", re.ASCII)
_FIELD_NAME = re.compile(r"[A-Za-z]\w{0,99}", re.ASCII)
_LONGEST_ARRAY = 1 << 16  # rosbags writes out each element of a fixed array of messages or texts
_LONGEST_DEFINITION = 1 << 20
_MOST_FIELDS = 10_000
_LONGEST_SEQUENCE = 1 << 26
IDL_SEPARATOR = "=" * 80 + "\nIDL: "
"""What stands before each part of a definition in IDL, and its name."""
# rosbags also asserts what it takes from definitions.
_ERRORS = (
    ArithmeticError,
    AssertionError,
    LookupError,
    RecursionError,
    SerdeError,
    TypeError,
    TypesysError,
    ValueError,
    struct.error,
)


class UnreadableTypeError(Exception):
    """A type of messages has no definition, or none that can be used."""


class UnreadableMessageError(Exception):
    """A message does not hold what its type says."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What a bag says of messages that belong together.

    Attributes:
        name: as in the bag.
        type_name: such as `sensor_msgs/msg/Imu`.
        definition: the text of the type's definition; nothing if the bag has none.
        definition_format: `msg` or `idl`.
        encoding: `ros1` or `cdr`.
        md5: of the definition, of ROS 1; else nothing.
    """

    name: str
    type_name: str
    definition: str = ""
    definition_format: str = "msg"
    encoding: str = "cdr"
    md5: str = ""


class Message(NamedTuple):
    """A message as a bag holds it; `time_ns` is when it was recorded, since 1970."""

    topic: Topic
    time_ns: int
    content: bytes


class Field(NamedTuple):
    """A field of a type: a number's kind such as `float32`, or `string`, or a type's name; and how many of it."""

    name: str
    kind: str
    is_message: bool
    length: int | None  # of a fixed array; 0 for a sequence of any length; None for one value


class MessageType:
    """A type that can be read.

    Raises:
        UnreadableTypeError: it is not defined, or its definition is damaged.
    """

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        try:
            self.name = _checked(_TYPE_NAME, normalize_msgtype(topic.type_name))
            self._store = _typestore(topic)
            self._store.get_msgdef(self.name)
            is_checked = topic.encoding == "ros1" and topic.md5 not in ("", "*")
            is_wrong = is_checked and self._store.generate_msgdef(self.name)[1] != topic.md5
        except _ERRORS as error:
            raise UnreadableTypeError(str(error) or "its definition is damaged") from error
        if is_wrong:
            raise UnreadableTypeError("the definition does not have the checksum that the bag gives")

    def fields(self, type_name: str = "") -> Iterator[Field]:
        """Those of this type, or of one that it is made of."""
        for name, description in self._store.fielddefs[type_name or self.name][1]:
            yield _field(name, description)

    def can_read(self, content: bytes) -> bool:
        """Whether a message is what the type says."""
        try:
            self.read(content)
        except UnreadableMessageError:
            return False
        return True

    def ros2_hash(self) -> str:
        """The type's hash in ROS 2 (REP 2016).

        Raises:
            UnreadableTypeError: a type that it is made of is not defined.
        """
        try:
            return str(self._store.hash_rihs01(self.name))
        except _ERRORS as error:
            raise UnreadableTypeError(str(error)) from error

    def read(self, content: bytes) -> Any:
        """The message as an object with an attribute for each field.

        Raises:
            UnreadableMessageError: its length or content is wrong.
        """
        read = self._store.deserialize_ros1 if self.topic.encoding == "ros1" else self._store.deserialize_cdr
        try:
            return read(content, self.name)
        except (*_ERRORS, MemoryError) as error:
            raise UnreadableMessageError(str(error)) from error


def is_type_name(name: str) -> bool:
    """Whether a text can be the name of a type, such as `sensor_msgs/Imu`."""
    return _TYPE_NAME.fullmatch(name) is not None


def is_defined(topic: Topic) -> bool:
    """Whether the topic's type can be read."""
    try:
        MessageType(topic)
    except UnreadableTypeError:
        return False
    return True


def is_readable(topic: Topic, content: bytes) -> bool:
    """Whether a message is what its type says; false for one whose type is not defined."""
    try:
        return MessageType(topic).can_read(content)
    except UnreadableTypeError:
        return False


def _field(name: str, description: Any) -> Field:
    node, value = description
    if node in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        (inner, kind), length = value
        length = length if node == Nodetype.ARRAY else 0
    else:
        inner, kind, length = node, value, None
    is_message = inner == Nodetype.NAME
    return Field(name, kind if is_message else kind[0], is_message, length)


def _typestore(topic: Topic) -> Typestore:
    if topic.definition:
        return _defined(topic.type_name, topic.definition, topic.definition_format)
    if topic.encoding == "ros1":
        raise UnreadableTypeError("the bag does not hold its definition")
    return _standard()


@lru_cache(maxsize=1)
def _standard() -> Typestore:
    store = get_typestore(Stores.LATEST)
    store.max_sequence_length = _LONGEST_SEQUENCE
    return store


def _defined(type_name: str, definition: str, definition_format: str) -> Typestore:
    """rosbags makes Python code of definitions: only names and kinds of fields reach it, each of them checked."""
    if len(definition) > _LONGEST_DEFINITION:
        raise UnreadableTypeError("its definition is too long")
    checked: dict[str, Any] = {}
    for name, (_, fields) in _parsed(type_name, definition, definition_format).items():
        _checked(_TYPE_NAME, name)
        if len(fields) > _MOST_FIELDS:
            raise UnreadableTypeError("it has too many fields")
        for field_name, description in fields:
            _checked(_FIELD_NAME, field_name)
            _check_field(_field(field_name, description))
        checked[name] = ([], fields)
    store = get_typestore(Stores.EMPTY)
    store.max_sequence_length = _LONGEST_SEQUENCE
    store.register(checked)
    return store


def _check_field(field: Field) -> None:
    if field.is_message:
        _checked(_TYPE_NAME, field.kind)
    if (field.length or 0) > _LONGEST_ARRAY:
        raise UnreadableTypeError(f"the array {field.name} is too long")


def _parsed(type_name: str, definition: str, definition_format: str) -> dict[str, Any]:
    name = _checked(_TYPE_NAME, normalize_msgtype(type_name))
    if definition_format == "msg":
        return dict(get_types_from_msg(definition, name))
    if not definition.startswith(IDL_SEPARATOR):
        return dict(get_types_from_idl(definition))
    types: dict[str, Any] = {}
    for part in definition.split(IDL_SEPARATOR)[1:]:
        types.update(get_types_from_idl(part.partition("\n")[2]))
    return types


def _checked(pattern: re.Pattern[str], name: str) -> str:
    if not pattern.fullmatch(name):
        raise UnreadableTypeError(f"the name {name[:100]!r} is not allowed")
    return name
