"""Messages of Protocol Buffers, read field by field."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.formats.protobuf import children, fields


def found(content: bytes) -> list[tuple[int, int | bytes]]:
    read = fields(memoryview(content))
    return [(number, value if isinstance(value, int) else bytes(value)) for number, value in read]


def test_the_documentation_s_own_examples_are_read() -> None:
    assert found(b"\x08\x96\x01") == [(1, 150)]
    assert found(b"\x12\x07testing") == [(2, b"testing")]
    assert found(b"\x1a\x03\x08\x96\x01") == [(3, b"\x08\x96\x01")]


def test_fixed_fields_are_passed_over_as_bytes() -> None:
    assert found(b"\x09" + b"12345678" + b"\x15" + b"1234" + b"\x08\x01") == [(1, b"12345678"), (2, b"1234"), (1, 1)]


def test_children_are_the_fields_of_one_number() -> None:
    message = memoryview(b"\x0a\x01a\x12\x01b\x0a\x01c\x08\x05")
    assert [bytes(child) for child in children(message, 1)] == [b"a", b"c"]


def test_an_array_of_bytes_is_read_like_bytes() -> None:
    content = np.frombuffer(b"\x08\x96\x01", np.uint8)
    assert list(fields(content.data)) == [(1, 150)]


@pytest.mark.parametrize(
    "content",
    [b"\x08", b"\x08\x96", b"\x12\x07test", b"\x09123", b"\x0b", b"\x08" + b"\xff" * 11],
    ids=["no value", "half an integer", "cut text", "cut number", "a group", "an endless integer"],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"field|message|integer"):
        found(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert sum(len(value) for _, value in found(content) if isinstance(value, bytes)) <= len(content)
