"""Tables as CSV files."""

import pytest

from atlas_web.downloads import csv_file


def test_a_file_has_a_name_a_head_and_every_digit() -> None:
    answer = csv_file("scores.csv", ("model", "value"), [("Forest", 0.1 + 0.2), ("a, b", None)])
    assert answer.headers["Content-Disposition"] == 'attachment; filename="scores.csv"'
    assert answer.getvalue().decode().splitlines() == ["model,value", "Forest,0.30000000000000004", '"a, b",']


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_text_that_a_spreadsheet_would_calculate_is_marked_as_text(text: str) -> None:
    assert csv_file("a.csv", ("a",), [(text,)]).getvalue().decode().splitlines()[1].strip('"') == f"'{text}"


def test_a_negative_number_stays_one() -> None:
    assert csv_file("a.csv", ("a",), [(-0.5,)]).getvalue().decode().splitlines()[1] == "-0.5"
