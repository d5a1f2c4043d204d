"""The base page, tables and charts in a real browser, under the strictest content security policy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django_filters
import django_tables2 as tables
import pytest
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import LoginView
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from explainability import figures
from tests.figures import explanation
from ui import charts
from ui.tables import AtlasTable, cell
from ui.views import TableView

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LIST = """{% extends "ui/base.html" %}{% load ui django_tables2 %}{% block main %}
{% page_header title="Models" lead="Every model, newest first." %}{% endpage_header %}
<section class="card" aria-label="Models">{% toolbar filter.form "Models" %}{% render_table table %}</section>
{% endblock %}"""
DETAIL = """{% extends "ui/base.html" %}{% load ui %}{% block main %}
{% page_header title="One benchmark" %}{% endpage_header %}
<section class="card" aria-labelledby="h">{% card_head title="Confusion matrix" id="h" %}
{% units "cm" %}{% endcard_head %}
{% confusion classes counts "Confusion matrix" "cm" %}</section>
{% chart history "history" "A line" %}{% chart importance "importance" "Bars" %}
{% chart residuals "residuals" "Points" %}
{% endblock %}{% block scripts %}{% include "ui/charts.html" %}{% endblock %}"""
CURVES = """{% extends "ui/base.html" %}{% load ui %}{% block main %}
{% for chart in charts %}<section class="card">{% chart chart chart.kind chart.label %}</section>{% endfor %}
<span id="what">some text</span>{% copy "what" "the text" "Copy" %}
{% endblock %}{% block scripts %}{% include "ui/charts.html" %}{% endblock %}"""

pytestmark = [
    pytest.mark.system,
    pytest.mark.urls(__name__),
    pytest.mark.django_db(transaction=True),
    pytest.mark.any_database,
]


class GroupFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Search models")

    class Meta:
        model = Group
        fields = ("q",)


class GroupTable(AtlasTable):
    noun = ("model", "models")
    name = tables.Column(verbose_name="Model")
    id = tables.Column(verbose_name="Number", attrs=cell("num", above="md"))


def guarded(view: Any) -> Any:
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = POLICY
        return response

    return answer


@method_decorator(guarded, name="dispatch")
class GroupList(TableView):
    table_class = GroupTable
    filterset_class = GroupFilter

    def get_queryset(self) -> QuerySet[Group]:
        return Group.objects.filter(name__startswith="Forest").order_by("-id")

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        if self.request.htmx:  # type: ignore[attr-defined]
            return TemplateResponse(self.request, "ui/table.html", context)
        return HttpResponse(engines["django"].from_string(LIST).render(context, self.request))


@guarded
def detail(request: HttpRequest) -> HttpResponse:
    versions = ("v1", "v2", "v3")
    series = (
        charts.Series("forest", (0.81, float("nan"), 0.86), (0.8, None, 0.83), (0.82, None, 0.9), main=True),
        charts.Series("linear", (0.71, 0.72, None)),
    )
    context = {
        "classes": ("benign", "malignant"),
        "counts": ((90, 10), (0, 0)),
        "history": charts.History("Accuracy", versions, ("1 Nov", "2 Nov", "3 Nov"), series),
        "importance": figures.importance(explanation()),
        "residuals": charts.Residuals((1.0, 2.0, 3.0), (1.1, 1.9, 3.2), "progression"),
    }
    return HttpResponse(engines["django"].from_string(DETAIL).render(context, request))


@guarded
def curves(request: HttpRequest) -> HttpResponse:
    unit = (0.0, 0.2, 1.0)
    lines = [charts.Line(name, unit, (0.0, 0.9, 1.0), 0.8, 0.4, main=name == "a") for name in "ab"]
    bins = {"starts": unit[:2], "ends": unit[1:], "low": (0.0, 0.5), "high": (0.4, 1.0)}
    shown = [
        charts.Curves("False positive rate", "True positive rate", "AUC", True, lines),
        charts.Reliability("Confidence", "Share", means=(0.1, 0.8), shares=(0.2, 0.7), events=(5, 9), **bins),
        charts.Histogram("Residual", (-1.0, 0.0, 1.0), (3, 4)),
        charts.Quantiles("Residual", (-1.0, 0.0, 1.0), (-2.0, 0.1, 2.0), 0.0, 2.0),
    ]
    return HttpResponse(engines["django"].from_string(CURVES).render({"charts": shown}, request))


urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("models/", GroupList.as_view(), name="models"),
    path("benchmarks/", detail, name="benchmarks"),
    path("curves/", curves, name="curves"),
]


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, client: Any, complaints: list[str]) -> Iterator[Page]:
    Group.objects.bulk_create(Group(name=f"Forest-{number:03}") for number in range(60))
    client.force_login(User.objects.create_user("ilse"))
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()


def first_row(page: Page) -> Any:
    return page.locator("tbody th[scope=row]").first


def test_a_click_on_a_head_sorts_the_table_without_a_new_page(page: Page) -> None:
    page.goto("/models/")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("link", name="Model", exact=True).click()
    expect(first_row(page)).to_have_text("Forest-000")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Model")
    assert page.url.endswith("/models/?sort=name")
    assert page.evaluate("window.sameDocument")
    assert page.evaluate("document.activeElement.id") == "table-by-name"


def test_order_size_and_search_add_up_and_the_back_button_undoes_them(page: Page) -> None:
    page.goto("/models/?sort=name")
    page.get_by_label("Rows").select_option("50")
    expect(page.locator(".card-foot")).to_contain_text("50 of 60 models")
    page.get_by_label("Search models").fill("Forest-01")
    expect(page.locator(".card-foot")).to_contain_text("10 of 10 models")
    expect(first_row(page)).to_have_text("Forest-010")
    assert page.url.endswith("/models/?q=Forest-01&sort=name&per_page=50")
    page.go_back()
    expect(page.locator(".card-foot")).to_contain_text("50 of 60 models")


def test_the_next_page_keeps_the_order(page: Page) -> None:
    page.goto("/models/?sort=name")
    page.get_by_role("link", name="Next").click()
    expect(first_row(page)).to_have_text("Forest-025")
    expect(page.locator(".page-item.active")).to_have_text("2")


def test_a_session_that_has_ended_leads_to_the_login_page_as_a_whole(page: Page) -> None:
    page.goto("/models/")
    page.context.clear_cookies()
    page.get_by_role("link", name="Model", exact=True).click()
    page.wait_for_url("**/login/**")


def test_shares_replace_counts_in_a_confusion_matrix(page: Page) -> None:
    page.goto("/benchmarks/")
    cell = page.locator("#cm td").first
    assert cell.inner_text() == "90"
    page.get_by_text("Shares", exact=True).click()
    assert cell.inner_text() == "90.0\u202f%"


def test_charts_are_drawn_and_redrawn_in_the_other_theme_within_the_policy(page: Page, complaints: list[str]) -> None:
    page.goto("/benchmarks/")
    expect(page.locator("#history .scatterlayer .trace")).to_have_count(
        4
    )  # two lines, two intervals with a gap between
    expect(page.locator("#importance .barlayer .point")).to_have_count(18)
    expect(page.locator("#residuals .point")).to_have_count(3)
    bar = page.locator("#importance .barlayer .point path").first
    light = bar.evaluate("el => getComputedStyle(el).fill")
    page.get_by_label("Switch between light and dark").click()
    expect(bar).not_to_have_css("fill", light)
    # One rule of Plotly's map library is refused as its script is read; Atlas draws no maps.
    assert len(complaints) <= 1


def test_a_list_needs_nothing_that_the_policy_forbids(page: Page, complaints: list[str]) -> None:
    page.goto("/models/")
    page.get_by_role("link", name="Model", exact=True).click()
    expect(first_row(page)).to_have_text("Forest-000")
    assert complaints == []


@pytest.mark.parametrize("address", ["/models/", "/benchmarks/"])
def test_no_page_scrolls_sideways_on_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_label("Open the menu").click()
    expect(page.get_by_role("link", name="Models")).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "marks", "count"),
    [
        ("curves", ".scatterlayer .js-line", 3),
        ("reliability", ".barlayer .point", 2),
        ("histogram", ".barlayer .point", 2),
        ("quantiles", ".scatterlayer .point", 3),
    ],
)
def test_curves_are_drawn_within_the_policy(
    page: Page, complaints: list[str], kind: str, marks: str, count: int
) -> None:
    page.goto("/curves/")
    expect(page.locator(f"#{kind} {marks}")).to_have_count(count)
    assert len(complaints) <= 1  # see above


def test_a_chart_is_saved_as_a_picture(page: Page) -> None:
    page.goto("/curves/")
    expect(page.locator("#histogram .barlayer .point")).to_have_count(2)
    size = page.locator("#histogram").bounding_box()
    with page.expect_download() as download:
        page.locator("[data-png=histogram]").click()
    assert download.value.suggested_filename == "histogram.png"
    picture = Path(download.value.path()).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert size is not None
    assert int.from_bytes(picture[16:20], "big") == 2 * size["width"]


def test_a_part_of_a_chart_is_looked_at_closely_and_two_clicks_lead_back(page: Page) -> None:
    page.goto("/curves/")
    expect(page.locator("#quantiles .scatterlayer .point")).to_have_count(3)
    ends = "document.getElementById('quantiles').layout.xaxis.range"
    whole = page.evaluate(ends)
    page.locator("#quantiles").scroll_into_view_if_needed()
    box = page.locator("#quantiles .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 120, steps=5)
    page.mouse.up()
    page.wait_for_function(f"{ends}[1] - {ends}[0] < 0.6 * {whole[1] - whole[0]}")
    page.locator("#quantiles .nsewdrag").dblclick()
    page.wait_for_function(f"{ends}[1] - {ends}[0] > 0.9 * {whole[1] - whole[0]}")


def test_what_a_chart_shows_is_a_table_too(page: Page) -> None:
    page.goto("/curves/")
    table = page.locator("#histogram + figcaption table")
    expect(table).to_be_hidden()
    page.locator("#histogram + figcaption summary").click()
    expect(table.locator("tbody tr").first).to_have_text("\u22121 0 3", use_inner_text=True)


def test_a_text_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/curves/")
    page.get_by_role("button", name="Copy the text").click()
    expect(page.locator("[data-copied]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "some text"
