"""What is kept of a child's output."""

import os
from collections.abc import Iterator

import pytest

from benchmark_engine.sandbox.output import KEPT_BYTES, Output


@pytest.fixture
def output() -> Iterator[Output]:
    """A pipe whose writer is open."""
    made = Output()
    yield made
    made.close()


def test_a_short_output_is_kept_whole(output: Output) -> None:
    os.write(output.writer, "grüße\0".encode())
    output.close_writer()
    output.drain()
    assert output.text() == "grüße\N{REPLACEMENT CHARACTER}"


def test_the_middle_of_a_long_output_is_left_out(output: Output) -> None:
    for number in range(100):
        os.write(output.writer, f"{number:04}".encode() * 4_096)
        output.read()
    output.close_writer()
    output.drain()
    text = output.text()
    assert text.startswith("0000" * (KEPT_BYTES // 16))
    assert text.endswith("0099" * 4_096)
    assert f"{100 * 16_384 - 2 * KEPT_BYTES:,} bytes left out" in text


def test_reading_never_waits_for_the_writer(output: Output) -> None:
    assert output.read()
    output.close_writer()
    assert not output.read()
