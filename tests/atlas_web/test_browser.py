"""The dashboard's pages in a real browser, under its own content security policy."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from atlas.results import MetricValue, Progress, SliceMetrics
from atlas.states import Phase
from atlas_web.pages import home
from storage import records
from tests import stage
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, client: Client) -> Iterator[Page]:
    client.force_login(User.objects.create_user("ilse"))
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "BUSY_SECONDS", 1)
    monkeypatch.setattr(home, "IDLE_SECONDS", 1)


def counter(page: Page, name: str) -> Any:
    return page.locator(".metric", has_text=name).locator(".metric-value")


@pytest.mark.usefixtures("hasty")
def test_home_keeps_itself_up_to_date(page: Page) -> None:
    page.goto("/")
    expect(counter(page, "Models")).to_have_text("0")
    stage.add_model()
    expect(counter(page, "Models")).to_have_text("1")
    expect(page.get_by_role("link", name="Forest-1.0.0-1")).to_be_visible()


def test_home_holds_still_while_someone_is_in_it_with_the_keyboard(page: Page) -> None:
    page.clock.install()
    page.goto("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "xhr" else None)
    link = page.locator("#home a").first
    page.locator("[data-theme-toggle]").focus()
    while not link.evaluate("el => el.matches(':focus-visible')"):
        page.keyboard.press("Tab")
    page.clock.run_for(3_000 * home.IDLE_SECONDS)
    assert asked == []
    link.evaluate("el => el.blur()")
    with page.expect_request("**/"):
        page.clock.run_for(1_000 * home.IDLE_SECONDS)


def test_a_benchmark_s_page_becomes_its_result_by_itself(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atlas_web.pages.benchmarks.RUNNING_SECONDS", 1)
    model = stage.add_model()
    stage.finish(model, stage.add_version(1))
    claim = stage.run(model, stage.add_version(2))
    page.goto(f"/benchmarks/{claim.benchmark}/")
    expect(page.locator("#benchmark .verdict")).to_contain_text("Running since")
    records.finish(claim, result(f1=0.9), primary_metric="f1", now=NOON)
    expect(page.locator("#benchmark .verdict")).to_contain_text("F1 is 0.900, 0.100 higher than on v1.")
    expect(page.locator("#history .scatterlayer .point")).to_have_count(2)
    expect(page.locator("#benchmark")).not_to_have_attribute("data-live", "")


def test_the_page_of_a_running_benchmark_shows_how_far_it_is_as_it_goes_on(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_web.pages.benchmarks.RUNNING_SECONDS", 1)
    claim = stage.run(stage.add_model(), stage.add_version(), now=timezone.now())
    page.goto(f"/benchmarks/{claim.benchmark}/")
    expect(page.locator("#benchmark .verdict")).to_contain_text("Starting.")
    records.report_progress({claim: Progress(phase=Phase.PREDICTING, done=25, total=100)})
    expect(page.locator("#benchmark .verdict")).to_contain_text("Predicting: 25 of 100 rows are done.")
    bar = page.get_by_role("progressbar", name="Rows predicted")
    expect(bar).to_have_js_property("position", 0.25)


def test_staff_pause_the_queue_and_let_it_go_on(page: Page) -> None:
    User.objects.update(is_staff=True)
    page.goto("/benchmarks/")
    page.get_by_label("Reason for a pause, optional").fill("the disk is full")
    page.get_by_role("button", name="Pause the queue").click()
    expect(page.locator(".verdict.is-warn")).to_contain_text("by ilse: the disk is full")
    assert page.url.endswith("/benchmarks/")
    page.get_by_role("button", name="Let it go on").click()
    expect(page.get_by_role("button", name="Pause the queue")).to_be_visible()
    expect(page.locator(".verdict.is-warn")).to_have_count(0)


def test_another_metric_is_drawn_in_place_and_in_the_address(page: Page) -> None:
    model = stage.add_model()
    benchmark = stage.finish(model, stage.add_version(1))
    page.goto(f"/benchmarks/{benchmark}/")
    page.get_by_label("Metric", exact=True).select_option("Accuracy")
    expect(page.locator("#history")).to_have_attribute(
        "aria-label", "Line chart: Accuracy of Forest-1.0.0, 0.900 on v1"
    )
    expect(page.locator("#history .scatterlayer .point")).to_have_count(1)
    assert page.url.endswith(f"/benchmarks/{benchmark}/?metric=accuracy")


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/models/",
        "/models/{model}/",
        "/benchmarks/",
        "/benchmarks/{benchmark}/",
        "/datasets/",
        "/datasets/impacts/",
        "/logs/",
    ],
)
def test_no_page_scrolls_sideways_on_a_phone_and_none_breaks_the_policy(page: Page, address: str) -> None:
    model = stage.add_model("AModelWithAVeryLongNameThatNobodyWouldChoose-1.0.0-1625660010")
    metric = MetricValue(name="f1", value=0.8, low=0.7, high=0.9, greater_is_better=True)
    sliced = SliceMetrics(column="environment", value="A name that is as long as none " * 4, rows=9, metrics=(metric,))
    outcome = result(slice_metrics=(sliced,), predictions_key="predictions/a.parquet")
    benchmark = stage.finish(model, stage.add_version(), outcome)
    records.log("engine", "models/" + "x" * 120, now=NOON, detail="y" * 500)
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address.format(model=model, benchmark=benchmark))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    # One rule of Plotly's map library is refused as its script is read; Atlas draws no maps.
    assert len(complaints) <= (1 if page.locator("[data-chart]").count() else 0), complaints
