"""Tests of how figures are judged and shown."""

import pytest

from benchmarks.figures import Targets, reached, show

TARGETS: Targets = {"speedup": ("≥", 1.9), "overhead": ("≤", 1.1)}


def test_a_speedup_should_be_high_and_an_overhead_low() -> None:
    assert reached(TARGETS, "speedup", 1.95)
    assert not reached(TARGETS, "speedup", 1.5)
    assert reached(TARGETS, "overhead", 1.05)
    assert not reached(TARGETS, "overhead", 1.5)


def test_figures_are_shown_with_what_they_should_be_and_the_others_below(capsys: pytest.CaptureFixture[str]) -> None:
    show({"bare_seconds": 2.0, "overhead": 1.5, "speedup": 1.95}, TARGETS)
    *table, last = capsys.readouterr().out.splitlines()
    (overhead,) = (line for line in table if "overhead" in line)
    assert "≤ 1.1" in overhead
    assert "missed" in overhead
    assert not any("missed" in line for line in table if "speedup" in line)
    assert last == "bare_seconds: 2.000"
