"""Figures as pictures for reports."""

import re
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

import ui
from explainability.explained import Explained
from explainability.figures import (
    Comparison,
    Heat,
    ImportanceHistory,
    Importances,
    Paths,
    Swarm,
    importance,
    swarm,
    waterfall,
)
from explainability.plots import draw, draw_page, style
from tests.explained import explained
from tests.figures import explanation, interacting, one_of_each, renamed

EVENTS = interacting(explained(events=200, finite=False))
FIGURES = {figure.kind: figure for figure in one_of_each(EVENTS)}
figures = pytest.mark.parametrize("kind", FIGURES)
SAMPLES = {
    "a regression": explained(classes=1),
    "two classes": explained(classes=2),
    "ten classes": explained(classes=10),
    "a hundred features": explained(features=100),
    "one event of one feature": explained(events=1, features=1, finite=False),
    "odd names": renamed(explained(), ["$peak", "a$b$c", "_rms", "<b>", "x" * 150, "ümläut \\frac"]),
}


def texts(svg: bytes) -> str:
    """All that an SVG says, a text a line."""
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return "\n".join("".join(text.itertext()) for text in found)


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@figures
def test_a_png_has_the_width_that_was_asked_for(kind: str) -> None:
    width, height = size(draw(FIGURES[kind], width=600, scale=1.5))
    assert width == 900
    assert 200 <= height <= 1500


@figures
def test_the_same_figure_gives_the_same_bytes(kind: str) -> None:
    for form in ("png", "svg"):
        assert draw(FIGURES[kind], format=form) == draw(FIGURES[kind], format=form)


@figures
def test_an_svg_says_what_its_axis_means(kind: str) -> None:
    assert FIGURES[kind].axis in texts(draw(FIGURES[kind], format="svg"))


@figures
def test_an_svg_names_every_feature(kind: str) -> None:
    figure, said = FIGURES[kind], texts(draw(FIGURES[kind], format="svg"))
    names = [line.name for line in figure.lines] if isinstance(figure, ImportanceHistory) else []
    shown = (Importances, Comparison, Swarm, Paths, Heat)
    for name in [*names, *(figure.features if isinstance(figure, shown) else ())]:
        assert name in said


@pytest.mark.parametrize("events", SAMPLES.values(), ids=SAMPLES.keys())
def test_every_kind_can_be_drawn_of_any_model(events: Explained) -> None:
    for figure in one_of_each(events):
        assert size(draw(figure, scale=1))[0] == 900


def test_names_are_written_as_they_are() -> None:
    said = texts(draw(importance(explanation(SAMPLES["odd names"])), format="svg"))
    for name in ("$peak", "a$b$c", "_rms", "<b>", "ümläut \\frac"):
        assert name in said.split("\n")
    assert "x" * 18 + "…" in said


def test_a_legend_hides_no_name_that_begins_with_an_underscore() -> None:
    known = explanation(explained()).model_copy(update={"outputs": ("_none", "_any", "dent")})
    assert {"_none", "_any", "dent"} <= {
        text.strip() for text in texts(draw(importance(known), format="svg")).split("\n")
    }


def test_more_rows_make_a_higher_picture() -> None:
    few, many = (swarm(explained(features=20, classes=1), 0, most=most) for most in (3, 12))
    assert size(draw(few))[1] < size(draw(many))[1]


def test_a_waterfall_writes_values_and_effects_beside_its_bars() -> None:
    events = explained(features=2, classes=2)
    events.findings.rows[0] = [3.0, 0.25]
    events.findings.values[0, :, 0] = [0.3, -0.1]
    said = texts(draw(waterfall(events, 0, 0), format="svg")).split("\n")
    assert {"peak_0 = 3", "peak_1 = 0.250", "+0.300", "\N{MINUS SIGN}0.100", "answer", "0.700", "average"} <= set(said)


def test_a_margin_is_explained_on_the_picture() -> None:
    known = explanation(explained(classes=2)).model_copy(update={"output": "margin"})
    assert "A margin is what the model turns into its answer: higher is more." in texts(
        draw(importance(known), format="svg")
    )


def test_pictures_have_the_colours_of_the_pages() -> None:
    sheet = (Path(ui.__file__).parent / "static/ui/atlas.css").read_text()
    light = dict(re.findall(r"--at-([a-z0-9-]+): (#\w+)", sheet[: sheet.index("[data-bs-theme=dark]", 200)]))
    tokens = ("ink", "muted", "line", "line-strong", "accent", "data-2", "bad", "q2", "q6")
    own = (
        style.INK,
        style.MUTED,
        style.LINE,
        style.STRONG,
        style.ACCENT,
        style.SECOND,
        style.BAD,
        style.PALE,
        style.DEEP,
    )
    assert [light[token] for token in tokens] == list(own)


def test_threads_may_draw_at_once_and_settings_stay_as_they_were() -> None:
    before = dict(mpl.rcParams)
    alone = draw(FIGURES["importance"], format="svg")
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: draw(FIGURES["importance"], format="svg"), range(8)))
    assert set(found) == {alone}
    assert dict(mpl.rcParams) == before


@pytest.mark.filterwarnings("ignore:Glyph")  # no font has a control character
def test_what_no_xml_may_hold_is_left_out() -> None:
    assert "ab" in texts(draw_page(lambda page: page.subplots().set_title("a\x01\x0b\uffffb")))


def test_others_draw_in_the_same_look() -> None:
    said = draw_page(lambda page: page.subplots().set_title("$peak"), width=300, height=200)
    assert "$peak" in texts(said)
    assert ElementTree.fromstring(said).get("viewBox") == "0 0 216 144"
