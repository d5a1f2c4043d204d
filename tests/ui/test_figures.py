"""Figures of explanations in a real browser, on a desk and on a phone, under the strictest content security policy."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from tests.explained import explained
from tests.figures import explanation, interacting, one_of_each, renamed
from tests.ui.test_browser import guarded

PAGE = """{% extends "ui/base.html" %}{% load ui %}{% block main %}
{% page_header title="Explanation" %}{% endpage_header %}
<div class="grid grid-wide">
{% for figure in figures %}<section class="card" aria-labelledby="{{ figure.kind }}-head">
{% card_head title=figure.kind text=figure.label id=figure.kind|add:"-head" %}{% endcard_head %}
{% chart figure figure.kind figure.label tall=True %}</section>
{% endfor %}
</div>
{% endblock %}{% block scripts %}{% include "ui/charts.html" %}{% endblock %}"""
LONG = "spectral_energy_of_the_{}_shock_sensor_between_{}_and_{}_hertz"
DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
SAMPLES = {
    "three classes": interacting(explained(events=400, finite=False)),
    "two classes": explained(classes=2),
    "a regression": explained(classes=1),
    "ten classes of features with long names": renamed(
        explained(events=200, features=30, classes=10, finite=False),
        [LONG.format(("left", "right")[number % 2], 10 * number, 10 * number + 10) for number in range(30)],
    ),
    "one event of one feature": explained(events=1, features=1),
    "names that look like markup": renamed(explained(), ["<b>peak</b>", "a<b", "a&amp;b", "x", "y", "z"]),
}

pytestmark = [
    pytest.mark.system,
    pytest.mark.urls(__name__),
    pytest.mark.django_db(transaction=True),
    pytest.mark.any_database,
]


@guarded
def drawn(request: HttpRequest, sample: str) -> HttpResponse:
    context = {"figures": one_of_each(SAMPLES[sample])}
    return HttpResponse(engines["django"].from_string(PAGE).render(context, request))


urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("figures/<str:sample>/", drawn, name="figures"),
]


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, client: Any, complaints: list[str]) -> Iterator[Page]:
    client.force_login(User.objects.create_user("ilse"))
    context = browser.new_context(base_url=live_server.url, viewport=DESK)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()


def show(page: Page, sample: str) -> None:
    page.goto(f"/figures/{sample}/")
    expect(page.locator(".js-plotly-plot")).to_have_count(len(one_of_each(SAMPLES[sample])))


def cut_texts(page: Page) -> list[str]:
    """The texts that reach out of their chart."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("[data-chart]")].flatMap((chart) => {
            const frame = chart.getBoundingClientRect();
            const outside = (box) => box.width && (box.left < frame.left - 1 || box.right > frame.right + 1
                || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
            const texts = [...chart.querySelectorAll(".main-svg text")];
            return texts.filter((text) => outside(text.getBoundingClientRect()))
                .map((text) => `${chart.dataset.chart}: ${text.textContent}`);
        })"""
    )
    return found


def point_at(page: Page, mark: Locator) -> None:
    """Moves the mouse onto a mark, or onto the end of a line; the layer that catches it there is Plotly's own."""
    mark.scroll_into_view_if_needed()
    x, y = mark.evaluate(
        """mark => {
            if (mark.matches(".js-line")) {
                const end = mark.getPointAtLength(mark.getTotalLength() - 3).matrixTransform(mark.getScreenCTM());
                return [end.x, end.y];
            }
            const box = mark.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }"""
    )
    page.mouse.move(x, y)


def chosen(page: Page) -> Any:
    """Starts to listen to what charts tell the page; call the result to know which events were chosen."""
    page.evaluate(
        """window.chosen = [];
        const note = ({ detail, target }) => window.chosen.push([target.id, detail.event]);
        document.addEventListener("atlas:event", note);"""
    )
    return lambda: page.evaluate("window.chosen")


@SIZES
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_figure_is_drawn_whole_within_the_policy(
    page: Page, complaints: list[str], sample: str, size: ViewportSize
) -> None:
    page.set_viewport_size(size)
    show(page, sample)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert cut_texts(page) == []
    # One rule of Plotly's map library is refused as its script is read; Atlas draws no maps.
    assert len(complaints) <= 1, complaints


def test_figures_change_their_colours_with_the_theme(page: Page) -> None:
    show(page, "two classes")
    bar = page.locator("#waterfall .barlayer path").first
    light = bar.evaluate("el => getComputedStyle(el).fill")
    page.get_by_label("Switch between light and dark").click()
    expect(bar).not_to_have_css("fill", light)


def test_a_long_name_is_cut_in_its_row_and_whole_on_hover(page: Page) -> None:
    sample = "ten classes of features with long names"
    name = explanation(SAMPLES[sample]).importances[0].feature
    page.set_viewport_size(PHONE)
    show(page, sample)
    expect(page.locator("#importance .ytick text").first).to_contain_text("\N{HORIZONTAL ELLIPSIS}")
    point_at(page, page.locator("#importance .barlayer .point path").first)
    hovered = page.locator("#importance .hoverlayer .hovertext").first
    expect(hovered).to_be_visible()
    assert name in (hovered.text_content() or "")
    assert cut_texts(page) == []


def test_names_are_never_taken_for_markup(page: Page) -> None:
    show(page, "names that look like markup")
    texts = page.locator("#swarm .ytick text").all_text_contents()
    assert sorted(texts) == sorted(["<b>peak</b>", "a<b", "a&amp;b", "x", "y", "z"])


@pytest.mark.parametrize(
    ("figure", "mark"), [("swarm", ".point"), ("dependence", ".point"), ("paths", ".js-line"), ("heat", "image")]
)
def test_a_click_on_an_event_tells_the_page_which_one_it_is(page: Page, figure: str, mark: str) -> None:
    show(page, "two classes")
    told = chosen(page)
    point_at(page, page.locator(f"#{figure} {mark}").first)
    page.mouse.down()
    page.mouse.up()
    [(chart, event)] = told()
    assert chart == figure
    assert event in SAMPLES["two classes"].ids


def test_the_keyboard_passes_by_the_figures(page: Page) -> None:
    show(page, "two classes")
    assert page.locator("[data-chart] :is(a, button, [tabindex])").count() == 0
