"""The columns of one event: raw signals and all else."""

from datetime import UTC, datetime

import numpy as np

from atlas_web.signals import signal, told_apart


def test_lists_of_numbers_are_signals_and_all_else_is_text() -> None:
    columns = told_apart(
        {
            "id": "a",
            "shock": [0.5, None, 2],
            "labels": ["dent", "crack"],
            "empty": [],
            "speed": 31.25,
            "time": datetime(2026, 3, 2, 12, 0, 0, 500000, tzinfo=UTC),
            "image": b"abc",
            "car": None,
        }
    )
    (shock,) = columns.signals
    assert (shock.name, shock.count, shock.samples) == ("shock", 3, [0, 1, 2])
    np.testing.assert_array_equal(shock.values, [0.5, np.nan, 2])
    assert dict(columns.values) == {
        "id": "a",
        "labels": "['dent', 'crack']",
        "empty": "[]",
        "speed": "31.25",
        "time": "2026-03-02 12:00:00.500+00:00",
        "image": "3 bytes",
        "car": "\N{EN DASH}",
    }


def test_a_long_signal_keeps_its_highest_and_its_lowest_sample() -> None:
    values = np.sin(np.arange(100_000))
    values[[12_345, 77_777]] = [40, -30]
    shown = signal("shock", values, most=1000)
    assert shown.count == 100_000
    assert len(shown.values) <= 1000
    assert (max(shown.values), min(shown.values)) == (40, -30)
    assert shown.samples == sorted(shown.samples)
    assert shown.values[shown.samples.index(12_345)] == 40


def test_a_long_signal_may_have_gaps() -> None:
    values = np.full(5000, np.nan)
    values[100] = 3.0
    shown = signal("shock", values, most=100)
    assert np.nanmax(shown.values) == 3.0
    assert shown.label == "Line chart: 5,000 samples of shock, between 3 and 3"
