"""Sizes come from a file, and what is no size is refused by its name."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from collector.casing.places import Places
from collector.casing.sizes import Board, Collector, read


def test_a_file_replaces_the_sizes_that_it_names(tmp_path: Path) -> None:
    file = tmp_path / "sizes.yaml"
    file.write_text("casing:\n  wall: 3.2\nmicrophones:\n  ring_radius: 42.2\ngas_sensor: {length: 19}\n")
    sizes = read(file)
    assert (sizes.casing.wall, sizes.microphones.ring_radius) == (3.2, 42.2)
    assert sizes.casing.floor == Collector().casing.floor
    assert (sizes.gas_sensor.length, sizes.gas_sensor.width) == (19, Collector().gas_sensor.width)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "sizes.yaml"
    file.write_text("")
    assert read(file) == Collector()


@pytest.mark.parametrize("line", ["casing: {wal: 3}", "casing: {wall: -1}", "casing: {wall: thick}"])
def test_what_is_no_size_is_refused_by_its_name(tmp_path: Path, line: str) -> None:
    file = tmp_path / "sizes.yaml"
    file.write_text(line)
    with pytest.raises(ValidationError, match=r"casing\.wal"):
        read(file)


def test_holes_lie_round_their_centre() -> None:
    board = Board(length=85, width=56, above=10, hole_spacing=(58, 49), hole_centre=(-10, 0))
    assert sorted(board.holes) == [(-39, -24.5), (-39, 24.5), (19, -24.5), (19, 24.5)]


def test_the_ring_of_microphones_lies_round_the_one_in_the_middle() -> None:
    places = Places(Collector())
    centre, *ring = places.microphones
    assert centre == (0, 0)
    assert [round((x**2 + y**2) ** 0.5, 6) for x, y in ring] == [43.0] * 6
    assert ring[0] == pytest.approx((0, 43))
