"""The geometry of sparklines, histograms and heat cells."""

from ui import shapes


def test_a_line_runs_from_edge_to_edge_with_its_lowest_value_at_the_bottom() -> None:
    assert shapes.line([1, 3, 2], width=26, height=16) == [(3, 13), (13, 3), (23, 8)]


def test_a_line_that_never_changes_lies_at_the_bottom() -> None:
    assert shapes.line([5, 5], width=26, height=16) == [(3, 13), (23, 13)]


def test_a_single_value_is_a_point_at_the_left() -> None:
    assert shapes.line([5], width=26, height=16) == [(3, 13)]


def test_bars_grow_with_their_counts_and_empty_bins_have_none() -> None:
    assert shapes.bars([4, 0, 2], width=30, height=23) == [(0, 2, 9, 21), (20, 12, 9, 11)]


def test_a_histogram_of_nothing_has_no_bars() -> None:
    assert shapes.bars([0, 0], width=30, height=23) == []


def test_heat_rises_with_the_share_in_seven_steps() -> None:
    assert [shapes.heat(share) for share in (0, 0.01, 0.05, 0.1, 0.2, 0.75, 1)] == [1, 2, 3, 4, 5, 6, 7]


def test_a_whisker_s_line_reaches_from_one_end_to_the_other() -> None:
    assert shapes.whisker([0.5, 0.75, 1.0], (0.5, 1.0), width=108) == [4, 54, 104]


def test_a_whisker_between_equal_ends_is_a_point() -> None:
    assert shapes.whisker([0.5], (0.5, 0.5), width=108) == [4]
