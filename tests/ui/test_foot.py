"""The foot of a list that is cut into pages."""

from ui.foot import Foot


def test_it_knows_which_rows_are_shown_and_to_which_pages_to_link() -> None:
    foot = Foot(251, 5, (25, 50), 25, ("model", "models"))
    assert (foot.page.start_index(), foot.page.end_index(), foot.counted_noun) == (101, 125, "models")
    assert foot.page_numbers == [1, "…", 4, 5, 6, "…", 11]


def test_a_page_beyond_the_last_one_is_the_last_one() -> None:
    foot = Foot(1, 9, (25,), 25, ("model", "models"))
    assert (foot.page.number, foot.counted_noun) == (1, "model")
