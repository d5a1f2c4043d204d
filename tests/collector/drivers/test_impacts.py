"""What an impact sounds and feels like tells its kind."""

import itertools
from dataclasses import replace

import pytest

from atlas_collector.drivers.impacts import Impact, shake, sound

IMPACT = Impact(time=0.0, kind="stone", strength=1.0, bearing=0.0)


def crossings(wave: list[float]) -> int:
    return sum(before * after < 0 for before, after in itertools.pairwise(wave))


def test_a_stone_is_high_and_short_and_a_pothole_deep_and_long() -> None:
    stone, pothole = (sound(replace(IMPACT, kind=kind), 48000) for kind in ("stone", "pothole"))
    assert crossings(stone[:4800]) > 10 * crossings(pothole[:4800])
    assert abs(stone[4000]) < 0.01 < max(map(abs, pothole[4000:4800]))


def test_a_bump_slows_the_car_down_and_a_pothole_shakes_it_up_and_down() -> None:
    for kind, axis in (("bump", 0), ("pothole", 2)):
        strongest = [max(map(abs, wave)) for wave in shake(replace(IMPACT, kind=kind), 400)]
        assert strongest.index(max(strongest)) == axis


def test_a_weaker_impact_is_less_loud() -> None:
    assert max(sound(replace(IMPACT, strength=0.5), 8000)) == pytest.approx(max(sound(IMPACT, 8000)) / 2)
