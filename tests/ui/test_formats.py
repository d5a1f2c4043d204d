"""Numbers, times and sizes as people read them."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ui import formats

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
NOW = datetime(2025, 11, 24, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "text"),
    [
        (0.8434, 3, False, "0.843"),
        (-0.0312, 3, False, f"{MINUS}0.031"),
        (0.0312, 3, True, "+0.031"),
        (1284.5, 1, False, "1,284.5"),
        (42584, 0, False, "42,584"),
        (0.0001, 3, True, "±0.000"),
        (-0.0001, 3, False, "0.000"),
        (-math.inf, 3, False, f"{MINUS}∞"),
        (None, 3, False, DASH),
        (math.nan, 3, True, DASH),
    ],
)
def test_a_number_has_fixed_decimals_and_a_true_minus(
    value: float | None, decimals: int, sign: bool, text: str
) -> None:
    assert formats.num(value, decimals, sign) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123456, "0.01235"),
        (81.4, "81.40"),
        (12345.678, "12,346"),
        (-0.5, f"{MINUS}0.5000"),
        (0.0, "0"),
        (-70.0, f"{MINUS}70"),
        (0.00012, "0.0001200"),
        (0.000012, f"1.200e{MINUS}5"),
        (2.5e12, "2.500e12"),
        (None, DASH),
        (math.nan, DASH),
        (math.inf, "∞"),
    ],
)
def test_a_measurement_has_four_digits_whatever_its_size(value: float | None, text: str) -> None:
    assert formats.figure(value) == text


def test_a_share_is_written_in_per_cent_after_a_narrow_space() -> None:
    assert formats.share(0.6336) == "63.4\u202f%"
    assert formats.share(None) == DASH


def test_exact_times_are_utc_wherever_they_were_taken() -> None:
    vienna = timezone(timedelta(hours=1))
    assert formats.when(datetime(2025, 11, 24, 8, 12, tzinfo=vienna)) == "2025-11-24 07:12 UTC"
    assert formats.when(None) == DASH


def test_a_short_time_names_the_year_only_if_it_is_another_one() -> None:
    assert formats.when_short(datetime(2025, 11, 2, 8, 30, tzinfo=UTC), NOW) == "02 Nov 08:30"
    assert formats.when_short(datetime(2025, 11, 2, 8, 30, 7, tzinfo=UTC), NOW, seconds=True) == "02 Nov 08:30:07"
    assert formats.when_short(datetime(2024, 12, 31, 23, 59, tzinfo=UTC), NOW) == "31 Dec 2024"
    assert formats.when_short(None, NOW) == DASH


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=15, seconds=40), "15 min ago"),
        (timedelta(hours=2, minutes=59), "2 h ago"),
        (timedelta(days=3), "3 d ago"),
        (timedelta(seconds=-5), "just now"),
    ],
)
def test_an_age_is_given_in_its_largest_unit(age: timedelta, text: str) -> None:
    assert formats.since(NOW - age, NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0000123, "12 µs"),
        (0.00009948, "99 µs"),
        (0.00009952, "0.1 ms"),
        (0, "0.0 ms"),
        (0.0004, "0.4 ms"),
        (0.038, "38 ms"),
        (0.9996, "1.0 s"),
        (4.06, "4.1 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (228, "3 min 48 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (274000, "3 d 4 h"),
        (None, DASH),
    ],
)
def test_a_duration_shows_the_units_that_matter(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1,023 B"),
        (1024, "1.0 KiB"),
        (50646221, "48.3 MiB"),
        (612 * 1024**2, "612 MiB"),
        (3 * 1024**5, "3,072 TiB"),
        (None, DASH),
    ],
)
def test_a_size_is_given_in_binary_units(count: int | None, text: str) -> None:
    assert formats.size(count) == text


def test_a_long_digest_shows_its_two_ends() -> None:
    assert formats.short_digest("7c1e04d9" + "0" * 48 + "b2f3a8e6") == "7c1e04d9…b2f3a8e6"
    assert formats.short_digest("7c1e04d9") == "7c1e04d9"
