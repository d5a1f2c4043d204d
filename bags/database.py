"""Bags of ROS 2 in SQLite (`.db3`), read row by row: a damaged page costs its rows only."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bags.losses import Losses
from bags.messages import Message, Topic
from bags.signals import UnreadableError

MAGIC = b"SQLite format 3\0"
_FORMATS = {"ros2msg": "msg", "ros2idl": "idl"}
_LAST_ROW = (1 << 63) - 1
_ROWS = "SELECT id, topic_id, timestamp, data FROM messages WHERE id >= ? ORDER BY id"
_MOST_HOLES = 100
_ERRORS = (sqlite3.Error, UnicodeDecodeError)  # its messages may quote damaged names


def messages(path: Path, losses: Losses) -> Iterator[Message]:
    """All messages that can be saved, in the order of their rows.

    Raises:
        UnreadableError: the file does not say what topics it has.
    """
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as database:
        database.execute("PRAGMA writable_schema = ON")  # else SQLite refuses a file that was cut off
        database.text_factory = lambda content: content.decode("utf-8", errors="replace")
        topics = _topics(database, losses)
        for _, topic, time_ns, content in _rows(database, losses):
            if topic not in topics:
                losses.count("messages belong to a topic that the file does not describe any more")
            elif isinstance(time_ns, int) and isinstance(content, bytes):
                yield Message(topics[topic], time_ns, content)
            else:
                losses.count("messages are damaged and were left out")


def _topics(database: sqlite3.Connection, losses: Losses) -> dict[object, Topic]:
    definitions = _definitions(database)
    topics: dict[object, Topic] = {}
    try:
        for number, name, type_name, encoding in database.execute(
            "SELECT id, name, type, serialization_format FROM topics"
        ):
            definition, form = definitions.get(type_name, ("", "msg"))
            if encoding == "cdr":
                topics[number] = Topic(
                    name=str(name), type_name=str(type_name), definition=definition, definition_format=form
                )
            else:
                losses.add(f"Topic {name} is left out: its messages are not written as CDR.")
    except _ERRORS as error:
        if not topics:
            raise UnreadableError(f"the bag does not say what topics it has: {error}") from error
        losses.add(f"Some topics are lost: {error}.")
    return topics


def _definitions(database: sqlite3.Connection) -> dict[object, tuple[str, str]]:
    """By type; older bags hold none, and damaged ones perhaps not all."""
    found: dict[object, tuple[str, str]] = {}
    try:
        for name, encoding, definition in database.execute(
            "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions"
        ):
            if encoding in _FORMATS and isinstance(definition, str):
                found[name] = (definition, _FORMATS[encoding])
    except _ERRORS:
        return found
    return found


def _rows(database: sqlite3.Connection, losses: Losses) -> Iterator[tuple[object, ...]]:
    following = -_LAST_ROW
    for _ in range(_MOST_HOLES):
        try:
            for row in database.execute(_ROWS, (following,)):
                if row[0] >= following:  # a damaged tree may lead to the same rows again
                    yield row
                    following = int(row[0]) + 1
            return
        except _ERRORS as error:
            losses.add(f"Part of the bag is damaged ({error}).")
            if (last := _last_before(database, following)) is not None:
                yield last
                following = int(last[0]) + 1
            damaged = max(following, 0)
            readable = _next_readable(database, damaged)
            if readable is None:
                losses.add(f"The messages from row {damaged} on are lost.")
                return
            following = max(readable, damaged + 1)
            losses.add(f"The messages of rows {damaged} to {following - 1} are lost.")
    losses.add("The bag has too many damaged parts; the messages behind them were not read.")


def _last_before(database: sqlite3.Connection, following: int) -> tuple[Any, ...] | None:
    """The row before a damaged one, which Python's module drops, as it reads one row ahead; None if that is damaged."""
    try:
        row: tuple[Any, ...] | None = database.execute(f"{_ROWS} LIMIT 1", (following,)).fetchone()
    except _ERRORS:
        return None
    return row


def _next_readable(database: sqlite3.Connection, damaged: int) -> int | None:
    """The first row behind a damaged one that can be read: looked for in steps that double, then halved."""
    low, step = max(damaged, 0), 1
    while (high := low + step) < 1 << 48:
        found = _first_from(database, high)
        if found is not None:
            return _halved(database, low, found)
        step *= 2
    return None


def _halved(database: sqlite3.Connection, low: int, high: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        if _first_from(database, middle) is None:
            low = middle
        else:
            high = middle
    return _first_from(database, high) or high


def _first_from(database: sqlite3.Connection, row: int) -> int | None:
    """The number of the first row from one on; None if it cannot be read or there is none."""
    try:
        found = database.execute("SELECT id, data FROM messages WHERE id >= ? ORDER BY id LIMIT 1", (row,)).fetchone()
    except _ERRORS:
        return None
    return int(found[0]) if found else None
