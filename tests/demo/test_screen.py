"""What a person reads."""

import io

import pytest
from rich.console import Console

from demo.ranking import Score, Winner
from demo.screen import WRONG, Screen


@pytest.fixture
def page() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def screen(page: io.StringIO) -> Screen:
    return Screen(Console(file=page, width=80, highlight=False))


def score(value: float, version: int, *, greater: bool) -> Score:
    name = "f1" if greater else "root_mean_squared_error"
    return Score(
        tag="impacts", version=version, model="Detector-1.0.0-17", metric=name, value=value, greater_is_better=greater
    )


@pytest.mark.parametrize(
    ("before", "now", "greater", "change"),
    [(0.8, 0.9, True, "+0.1"), (0.9, 0.8, True, "-0.1"), (8, 9, False, "+1"), (9, 8, False, "-1")],
)
def test_the_table_says_how_much_the_winner_changed(
    screen: Screen, page: io.StringIO, before: float, now: float, greater: bool, change: str
) -> None:
    screen.winners([Winner(best=score(now, 2, greater=greater), first=score(before, 1, greater=greater))])
    row = next(line for line in page.getvalue().splitlines() if "impacts" in line)
    assert row.split()[:2] == ["impacts", "v2"]
    assert "Detector " in row
    assert row.split()[-3:] == [f"{now:.4g}", f"{before:.4g}", change]


def test_the_table_fits_a_terminal_of_80_columns(screen: Screen, page: io.StringIO) -> None:
    long = Score(
        tag="breast-cancer",
        version=2,
        model="TumourLogisticRegression-1.0.0-17",
        metric="root_mean_squared_error",
        value=0.98765,
        greater_is_better=False,
    )
    screen.winners([Winner(best=long, first=long)])
    assert "TumourLogisticRegression" in page.getvalue()
    assert "…" not in page.getvalue()


def test_a_first_version_has_nothing_to_compare_with(screen: Screen, page: io.StringIO) -> None:
    screen.winners([Winner(best=score(0.8, 1, greater=True), first=None)])
    assert page.getvalue().split()[-3:] == ["0.8", "-", "-"]


def test_a_step_leaves_one_line(screen: Screen, page: io.StringIO) -> None:
    with screen.step("Doing", "Done"):
        pass
    assert page.getvalue() == "✓ Done (0 s)\n"


def test_a_step_that_fails_leaves_no_success(screen: Screen, page: io.StringIO) -> None:
    with pytest.raises(RuntimeError), screen.step("Doing", "Done"):
        raise RuntimeError
    assert "Done" not in page.getvalue()


def test_a_bar_can_end_otherwise_than_planned(screen: Screen, page: io.StringIO) -> None:
    with screen.bar("Doing", "Done", total=2) as bar:
        bar.show(1, "half way")
        bar.outcome, bar.mark = "1 of 2", WRONG
    assert page.getvalue() == "✗ 1 of 2 (0 s)\n"


def test_a_message_is_shown_as_it_is(screen: Screen, page: io.StringIO) -> None:
    screen.wrong("pipeline[0].class: [red]wrong")
    assert page.getvalue() == "✗ pipeline[0].class: [red]wrong\n"


def test_the_password_is_shown_as_it_is(screen: Screen, page: io.StringIO) -> None:
    screen.address("http://127.0.0.1:8000", "demo", "[bold]x")
    assert "[bold]x" in page.getvalue()
    assert "http://127.0.0.1:8000" in page.getvalue()
