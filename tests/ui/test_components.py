"""Each component as the HTML that it becomes."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.test import RequestFactory

import ui
from atlas.states import ComponentState, Level, ModelState, State
from ui import charts, components
from ui import forms as form_fields


class Reader(HTMLParser):
    """The text, and every element's attributes, of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text = f"{self.text} {data}".strip()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def render(source: str, **context: Any) -> Reader:
    request = RequestFactory().get("/models/?q=forest&tag=wine&page=2")
    return Reader(engines["django"].from_string("{% load ui %}" + source).render(context, request))


@pytest.mark.parametrize("state", [*State, *ModelState, *ComponentState, *Level])
def test_every_state_has_a_look(state: str) -> None:
    assert components.STATES[state].text in Reader(components.state(state)).text


def test_a_state_may_say_more_than_its_word() -> None:
    shown = Reader(components.state("running", "9 of 10", "since noon"))
    assert shown.text == "9 of 10"
    assert shown.all("span")[0] == {"class": "state is-info", "title": "since noon"}


def test_an_available_benchmark_is_a_link() -> None:
    link = Reader(components.state_icon("benchmark", "forest", "/benchmarks/1/")).all("a")[0]
    assert link["href"] == "/benchmarks/1/"
    assert link["aria-label"] == "Benchmark of forest available: open"


def test_an_impossible_explanation_says_why() -> None:
    button = Reader(components.state_icon("explanation", "forest", reason="no tree inside")).all("button")[0]
    assert button["title"] == "Explanation not possible: no tree inside"


def test_a_benchmark_that_is_not_there_yet_is_an_idle_icon() -> None:
    shown = Reader(components.state_icon("benchmark", "forest"))
    assert shown.all("span")[0]["aria-label"] == "Benchmark of forest not computed yet"
    assert not shown.all("a")


@pytest.mark.parametrize(
    ("name", "head", "stamp"),
    [
        ("Forest-1.5.0-1763899200", "Forest-1.5.0", "-1763899200"),
        ("Forest-beta", "Forest-beta", ""),
        ("Forest", "Forest", ""),
    ],
)
def test_only_a_time_stamp_is_set_apart_from_a_model_s_name(name: str, head: str, stamp: str) -> None:
    html = components.model(name, "/models/1/", "by Ilse")
    assert f">{head}" in html
    assert (f"<span>{stamp}</span>" in html) == bool(stamp)
    assert Reader(html).text.replace(" -", "-") == f"{name} by Ilse"


def test_a_name_cannot_bring_markup_into_a_page() -> None:
    assert "<script>" not in components.model("<script>", "/") + components.state("done", "<script>")


def test_a_change_within_noise_is_grey_and_has_no_arrow() -> None:
    shown = Reader(components.delta(-0.031, noise=True))
    assert shown.text == "\N{MINUS SIGN}0.031  within noise"
    assert shown.all("span")[0]["class"] == "delta is-idle"
    assert not shown.all("svg")


def test_a_change_that_nobody_compared_with_noise_is_grey_and_says_nothing_of_it() -> None:
    shown = Reader(components.delta(0.031))
    assert shown.text == "+0.031"
    assert shown.all("span")[0]["class"] == "delta is-idle"


def test_a_score_has_all_its_digits_on_hover() -> None:
    shown = Reader(components.score(0.98634567))
    assert shown.text == "0.986"
    assert shown.all("span")[0]["title"] == "0.98634567"


@pytest.mark.parametrize(("better_down", "tone", "word"), [(False, "ok", "better"), (True, "bad", "worse")])
def test_a_rise_is_better_for_scores_and_worse_for_costs(better_down: bool, tone: str, word: str) -> None:
    shown = Reader(components.delta(0.02, noise=False, better_down=better_down))
    assert shown.all("span")[0]["class"] == f"delta is-{tone}"
    assert word in shown.text
    assert shown.all("svg")


def test_a_spark_leaves_out_what_is_not_known() -> None:
    html = components.spark([0.9, None, 0.8], "falls")
    assert Reader(html).all("polyline")[0]["points"] == "3.0,3.0 85.0,23.0"
    assert Reader(html).all("svg")[0]["aria-label"] == "falls"


@pytest.mark.parametrize(
    "html",
    [
        components.spark([None], "nothing"),
        components.spark_bars([], "none"),
        components.delta(None),
        components.score(None),
    ],
)
def test_nothing_known_is_a_dash(html: str) -> None:
    assert Reader(html).text == "\N{EN DASH}"


def test_a_histogram_has_one_bar_for_each_bin_that_is_not_empty() -> None:
    assert len(Reader(components.spark_bars([1, 0, 2], "distribution")).all("rect")) == 2


def test_a_metric_shows_its_past_only_if_it_has_one() -> None:
    assert not Reader(components.metric("Accuracy", "0.986", values=[None, 0.986])).all("polyline")
    shown = Reader(components.metric("Accuracy", "0.986", "%", "on v2", [0.9, 0.986], note="primary", href="/x/"))
    assert shown.text == "Accuracy primary 0.986 % on v2"
    assert shown.all("svg")[0]["aria-label"] == "Accuracy, its last 2 values"


def test_a_confusion_matrix_holds_counts_and_row_shares() -> None:
    shown = Reader(components.confusion((0, 1), ((90, 10), (0, 0)), "Confusion", "cm"))
    assert "90 90.0\u202f% 10 10.0\u202f%" in shown.text
    assert [cell["class"] for cell in shown.all("td")] == ["q7 is-diagonal", "q4", "q1", "q1 is-diagonal"]


def test_the_cells_of_a_confusion_matrix_lead_to_their_events_if_there_are_any() -> None:
    shown = Reader(components.confusion(("a", "b & c"), ((90, 10), (0, 0)), "Confusion", "cm", "/events/"))
    assert [link["href"] for link in shown.all("a")] == [
        "/events/?truth=a&predicted=a",
        "/events/?truth=a&predicted=b+%26+c",
    ]
    assert shown.all("a")[1]["title"] == "Events that truly are a and were predicted as b & c"
    assert not Reader(components.confusion(("a",), ((9,),), "Confusion", "cm")).all("a")


def test_a_row_of_the_confusion_matrix_without_events_has_no_shares() -> None:
    assert Reader(components.confusion(("a",), ((0,),), "Confusion", "cm")).text.count("\N{EN DASH}") == 1


def test_many_classes_make_a_dense_confusion_matrix() -> None:
    counts = [[1] * 6] * 6
    assert "is-dense" in components.confusion(range(6), counts, "Confusion", "cm")


def test_a_chart_carries_its_data_as_json_that_cannot_end_its_script() -> None:
    content = charts.Residuals((1.0,), (2.0,), "</script>")
    html = components.chart(content, "residuals", "one point")
    assert html.count("</script>") == 1
    figure = Reader(html).all("div")[0]
    assert figure["data-chart"] == "residuals"
    assert figure["data-source"] == Reader(html).all("script")[0]["id"]


def test_a_page_header_leads_back_and_holds_actions() -> None:
    shown = render(
        '{% page_header title="Forest" crumbs=crumbs facts=facts %}<a href="/run/">Run</a>{% endpage_header %}',
        crumbs=[("Models", "/models/")],
        facts=[("Rows", 8517)],
    )
    assert [link["href"] for link in shown.all("a")] == ["/models/", "/run/"]
    assert shown.text == "Models Forest Forest Rows 8,517 Run"


def test_an_empty_slot_leaves_no_trace() -> None:
    shown = render('{% card_head title="Models" id="m" %} {% endcard_head %}')
    assert not shown.all("div")[1:]
    assert shown.all("h2") == [{"id": "m"}]


def test_the_slot_of_a_component_is_escaped_unless_it_is_a_template_s_own() -> None:
    assert "<b>" not in components.card_head("<b>", "Models")


def test_a_verdict_an_empty_state_and_a_plain_table_hold_their_slots() -> None:
    shown = render(
        '{% verdict tone="bad" glyph="x-circle" %}<p>It failed.</p>{% endverdict %}'
        '{% empty "cube" title="No models" text="Send one." level=1 %}<a href="/">Home</a>{% endempty %}'
        '{% plain_table label="Latest" %}<tbody><tr><td>Forest</td></tr></tbody>{% endplain_table %}'
    )
    assert shown.text == "It failed. No models Send one. Home Latest Forest"
    assert len(shown.all("h1")) == 1


class Search(forms.Form):
    q = forms.CharField(label="Search models")
    tag = forms.ChoiceField(label="Tag", choices=[("", "All tags"), ("wine", "wine")])


def test_a_toolbar_sends_a_search_and_selects_to_its_own_page() -> None:
    shown = render('{% toolbar form "Models" %}', form=Search({"q": "forest", "tag": "wine"}))
    assert shown.all("form")[0]["action"] == "/models/"
    assert shown.all("input")[0]["value"] == "forest"
    assert shown.all("select")[0]["class"] == "form-select"
    assert [label["for"] for label in shown.all("label")] == ["id_q", "id_tag"]


def test_a_form_carries_the_other_parameters_along() -> None:
    assert render('{% other_parameters "page" as kept %}{{ kept|join:" " }}').text == "('q', 'forest') ('tag', 'wine')"


def test_every_template_of_a_component_is_used() -> None:
    templates = Path(ui.__file__).parent / "templates"
    modules = Path(components.__file__).read_text() + Path(form_fields.__file__).read_text()
    code = modules + "".join(page.read_text() for page in templates.rglob("*.html"))
    known = set(re.findall(r'_render\(\s*"(\w+)"', code)) | set(re.findall(r"components/(\w+)\.html", code))
    assert {page.stem for page in (templates / "components").iterdir()} == known | {"data_table"}


def test_no_template_holds_an_inline_style_or_an_inline_script() -> None:
    for page in (Path(ui.__file__).parent / "templates").rglob("*.html"):
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?! src=)", page.read_text()), page


def test_a_difference_of_confusion_matrices_says_what_is_better_if_it_is_more_than_noise() -> None:
    def shift(share: float | None, *, noise: bool = False, diagonal: bool = False) -> components.Shift:
        return components.Shift(
            count=None if share is None else round(100 * share), share=share, noise=noise, diagonal=diagonal
        )

    assert [
        each.tone
        for each in (
            shift(0.2, diagonal=True),
            shift(-0.2, diagonal=True),
            shift(0.2),
            shift(-0.2),
            shift(0.2, noise=True),
            shift(None),
        )
    ] == ["ok", "bad", "bad", "ok", "", ""]
    html = components.confusion_change(
        ["a", "b"], [[shift(0.2, diagonal=True), shift(-0.2)], [shift(0.0), shift(None)]], "Difference"
    )
    assert "+20" in html
    assert "pp" in html
    assert html.count(" better") == 2
    assert "is-flat" in html


def test_a_cell_of_other_data_differs_in_its_share_alone() -> None:
    cell = components.Shift(count=None, share=-0.034, noise=True, diagonal=False)
    assert cell.counted == cell.shared == "\N{MINUS SIGN}3.4\N{NARROW NO-BREAK SPACE}pp"


def test_a_chip_names_a_chosen_thing_and_how_to_take_it_away() -> None:
    html = components.chip("Forest", "/models/1/", "Remove Forest", "/?b=2", "A")
    assert '<b>A</b><a href="/models/1/">Forest</a>' in html
    assert 'href="/?b=2" aria-label="Remove Forest"' in html


@pytest.mark.parametrize("write", [components.when, components.when_short, components.since])
def test_a_time_that_is_not_known_is_a_dash(write: Any) -> None:
    assert Reader(write(None)).text == "\N{EN DASH}"


def test_an_interval_stands_beside_its_score_and_a_whisker_shows_it() -> None:
    shown = Reader(components.interval(0.8, 0.7, 0.9, ends=(0.5, 1.0), reference=0.75))
    assert shown.text == "0.800 [0.700, 0.900]"
    dot, lines = shown.all("circle")[0], shown.all("line")
    places = {line["class"]: (float(line["x1"] or 0), float(line["x2"] or 0)) for line in lines}
    assert places["whisker"][0] < places["whisker-ref"][0] < float(dot["cx"] or 0) < places["whisker"][1]
    assert places["whisker-track"] == (0, 96)


@pytest.mark.parametrize("ends", [None, (0.5, 1.0)])
def test_a_score_without_an_interval_stands_alone(ends: tuple[float, float] | None) -> None:
    shown = Reader(components.interval(0.8, None, None, ends))
    assert shown.text == "0.800"
    assert not shown.all("svg")
    assert not shown.all("small")


def test_a_number_s_card_has_its_interval_below_it() -> None:
    html = components.metric("F1", "0.800", ci=components.ci(-0.7, 0.9), foot="first version")
    assert "[\N{MINUS SIGN}0.700, 0.900] first version" in " ".join(Reader(html).text.split())
