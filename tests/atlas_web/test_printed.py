"""What a model's code printed, on a page."""

from atlas_web.printed import MOST_LINES, SHOWN_LINES, Printed, printed


def test_a_short_output_is_shown_as_a_whole() -> None:
    assert printed("hello\n") == Printed("hello")
    whole = "\n".join(map(str, range(MOST_LINES)))
    assert printed(whole) == Printed(whole)


def test_of_a_long_output_the_middle_is_folded() -> None:
    lines = list(map(str, range(200)))
    found = printed("\n".join(lines))
    assert found.first.split("\n") == lines[:SHOWN_LINES]
    assert found.last.split("\n") == lines[-SHOWN_LINES:]
    assert found.lines_between == len(found.between.split("\n")) == 200 - 2 * SHOWN_LINES
    assert "\n".join((found.first, found.between, found.last)).split("\n") == lines
