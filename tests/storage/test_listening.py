"""What is read from a server's stream of notifications, however it is cut."""

import json
import threading
from collections.abc import Iterator

import pytest

from storage.listening import told

FIRST = json.dumps({"Records": [{"s3": {"object": {"key": key}}} for key in ("models/a", "models/ä b+%")]}).encode()
SECOND = json.dumps({"Records": [{"s3": {"object": {"key": "models/c"}}}]}).encode()
STREAM = b"  " + FIRST + b"\n   " + SECOND + b"\n \n" + b'{"Records": null}\n '


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_the_keys_of_a_stream_are_the_same_wherever_it_is_cut(size: int) -> None:
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert list(told(chunks, threading.Event())) == ["models/a", "models/ä b+%", "models/c"]


def test_a_key_is_told_before_the_stream_goes_on() -> None:
    def stream() -> Iterator[bytes]:
        yield SECOND + b"\n"
        raise AssertionError("it waited for more")

    assert next(told(stream(), threading.Event())) == "models/c"


def test_nothing_is_told_after_the_stop() -> None:
    stop = threading.Event()
    keys = told([SECOND + b"\n", SECOND + b"\n"], stop)
    next(keys)
    stop.set()
    assert list(keys) == []
