"""The dashboard's pages in a real browser, under its own content security policy."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from atlas.results import MetricValue, Progress, SliceMetrics
from atlas.states import Phase
from atlas_web.pages import home
from storage import records
from tests import stage
from tests.atlas_web.explaining import events, explain
from tests.comparing import compared
from tests.samples import NOON, result

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.any_database]


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


def bring_into_view(page: Page, card: str) -> None:
    """Scroll to a card, and wait until its figure is there."""
    page.locator(f"#{card}").evaluate("card => card.scrollIntoView()")
    expect(page.locator(f"#{card} .is-loading")).to_have_count(0)


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
    link = page.locator("#home a:visible").first
    page.locator("[data-theme-toggle]").focus()
    while not link.evaluate("el => el.matches(':focus-visible')"):
        page.keyboard.press("Tab")
    page.clock.run_for(3_000 * home.IDLE_SECONDS)
    assert asked == []
    link.evaluate("el => el.blur()")
    with page.expect_response("**/"):
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


def test_an_administrator_pauses_the_queue_and_lets_it_go_on(page: Page) -> None:
    User.objects.update(is_superuser=True)
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


def test_the_charts_of_an_explanation_are_drawn_as_they_come_in_view(page: Page) -> None:
    page.goto(f"/benchmarks/{explain()}/explanation/")
    expect(page.locator("#importance .barlayer .point").first).to_be_visible()
    for name, mark in (
        ("swarm", ".scatterlayer .point"),
        ("decision", ".scatterlayer .js-line"),
        ("heat", ".main-svg"),
    ):
        bring_into_view(page, f"card-{name}")
        expect(page.locator(f"#{name} {mark}").first).to_be_visible()


def test_a_cell_of_the_confusion_matrix_leads_to_its_events_and_on_to_a_waterfall(page: Page) -> None:
    of = events()
    wrong = int((of.truth != of.predicted).nonzero()[0][0])
    truth, predicted = of.truth[wrong], of.predicted[wrong]
    count = int(((of.truth == truth) & (of.predicted == predicted)).sum())
    page.goto(f"/benchmarks/{explain(of)}/")
    page.get_by_title(f"Events that truly are {truth} and were predicted as {predicted}").click()
    expect(page.locator("#table tbody tr")).to_have_count(count)
    expect(page.get_by_label("Truth", exact=True)).to_have_value(truth)
    page.locator("#table tbody a").first.click()
    expect(page.locator(".stack .verdict")).to_contain_text(f"Predicted as {predicted}")
    expect(page.locator(".stack .verdict")).to_contain_text(f"but truly {truth}.")
    for label in (predicted, truth):
        output = of.findings.outputs.index(label)
        expect(page.locator(f"#waterfall-{output} .main-svg").first).to_be_visible()
    page.locator("[role=status]").last.scroll_into_view_if_needed()
    expect(page.locator("#signal-1 .scatterlayer .js-line")).to_be_visible()


def test_a_point_of_a_chart_leads_to_its_event(page: Page) -> None:
    pk = explain()
    page.goto(f"/benchmarks/{pk}/explanation/")
    bring_into_view(page, "card-swarm")
    page.locator("#swarm .scatterlayer .point").first.wait_for()
    page.locator("#swarm").evaluate(
        "el => el.dispatchEvent(new CustomEvent('atlas:event', {bubbles: true, detail: {event: 'event-0003'}}))"
    )
    page.wait_for_url(f"**/benchmarks/{pk}/events/event-0003/")


def test_what_a_figure_shows_is_chosen_in_place_and_in_the_address(page: Page) -> None:
    pk = explain()
    page.goto(f"/benchmarks/{pk}/explanation/?output=scratch")
    bring_into_view(page, "card-dependence")
    page.get_by_label("Feature", exact=True).select_option("peak_2")
    expect(page.get_by_label("Feature", exact=True)).to_have_value("peak_2")
    expect(page.locator("#dependence")).to_have_attribute("aria-label", re.compile("peak_2"))
    assert page.url.endswith("?output=scratch&feature=peak_2")
    page.get_by_label("Effects on", exact=True).select_option("dent")
    page.wait_for_url(re.compile("output=dent.*feature=peak_2"))
    bring_into_view(page, "card-dependence")
    expect(page.get_by_label("Feature", exact=True)).to_have_value("peak_2")


def test_benchmarks_are_added_removed_and_compared_in_alchemy(page: Page) -> None:
    cache.clear()
    version = stage.add_version()
    old, new = compared("Old-1", 0.7, version=version), compared("New-2", 0.95, version=version, seed=2, depth="5")
    page.goto("/benchmarks/")
    page.get_by_label("Choose Old-1 on impacts v1").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#evidence")).to_contain_text("Add a second benchmark")
    expect(page.locator("#pareto .scatterlayer .point")).to_have_count(2)
    page.get_by_label("Add a benchmark", exact=True).press_sequentially("new v1")
    page.locator("#candidates").get_by_role("link", name="New-2").click()
    expect(page.locator("#evidence")).to_contain_text("B is better than A by accuracy")
    assert page.url.endswith(f"/alchemy/?b={old}&b={new}")
    expect(page.locator("#pareto .scatterlayer .point")).to_have_count(2)
    expect(page.locator("#history-impacts .scatterlayer .point")).to_have_count(2)
    expect(page.get_by_role("row", name="trees")).to_be_visible()
    page.get_by_label("Differences only").check()
    expect(page.get_by_role("row", name="trees")).to_have_count(0)
    expect(page.get_by_role("row", name="depth")).to_be_visible()
    page.get_by_label("Reference", exact=True).select_option("B")
    expect(page.locator("#evidence")).to_contain_text("A is worse than B by accuracy")
    page.get_by_label("Cost", exact=True).select_option("Peak memory")
    expect(page.locator("#pareto")).to_have_attribute("aria-label", re.compile("against peak memory"))
    page.get_by_role("link", name="Remove Old-1 on impacts v1").click()
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.get_by_label("Differences only")).to_be_checked()
    page.go_back()
    expect(page.locator(".chip")).to_have_count(2)


def test_on_a_phone_the_difference_is_in_view(page: Page) -> None:
    cache.clear()
    version = stage.add_version()
    keys = [compared("Old-1", 0.7, version=version), compared("New-2", 0.95, version=version, seed=2)]
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/alchemy/?b={keys[0]}&b={keys[1]}")
    box = page.get_by_role("row", name="Accuracy").locator(".delta").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/models/",
        "/models/{model}/",
        "/benchmarks/",
        "/benchmarks/{benchmark}/",
        "/benchmarks/{explained}/explanation/",
        "/benchmarks/{explained}/events/",
        "/benchmarks/{explained}/events/event-0000/",
        "/datasets/",
        "/datasets/impacts/",
        "/alchemy/",
        "/alchemy/?b={benchmark}&b={explained}",
        "/logs/",
    ],
)
def test_no_page_scrolls_sideways_on_a_phone_and_none_breaks_the_policy(page: Page, address: str) -> None:
    model = stage.add_model("AModelWithAVeryLongNameThatNobodyWouldChoose-1.0.0-1625660010")
    metric = MetricValue(name="f1", value=0.8, low=0.7, high=0.9, greater_is_better=True)
    sliced = SliceMetrics(column="environment", value="A name that is as long as none " * 4, rows=9, metrics=(metric,))
    outcome = result(slice_metrics=(sliced,), predictions_key="predictions/a.parquet")
    benchmark = stage.finish(model, stage.add_version(), outcome)
    explained = explain(events(features=20), model="Linear-1.0.0-2", version=2)
    records.log("engine", "models/" + "x" * 120, now=NOON, detail="y" * 500)
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address.format(model=model, benchmark=benchmark, explained=explained))
    page.wait_for_load_state("networkidle")
    for card in page.locator(".card:has(.is-loading)").evaluate_all("cards => cards.map((card) => card.id)"):
        bring_into_view(page, card)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert complaints == []


def test_the_matrix_switches_between_scores_and_changes_in_place(page: Page) -> None:
    model = stage.add_model()
    for number, f1 in ((1, 0.7), (2, 0.8)):
        stage.finish(model, stage.add_version(number), result(f1=f1))
    page.goto("/matrix/?tag=impacts")
    cells = page.locator(".matrix tbody td")
    expect(cells).to_have_text(["0.700", "0.800"])
    page.get_by_role("link", name="Change from the version before").click()
    expect(cells).to_have_text(["–", "+0.100"])  # noqa: RUF001  # the page's own dash
    expect(page).to_have_url(re.compile(r"\?tag=impacts&show=change$"))
    page.get_by_label("Use case").select_option("damage detector")
    expect(page).to_have_url(re.compile("use_case=damage%20detector"))
    expect(cells).to_have_text(["–", "+0.100"])  # noqa: RUF001
    page.get_by_role("link", name="Score", exact=True).click()
    expect(cells).to_have_text(["0.700", "0.800"])


def test_arrow_keys_lead_through_the_cells_of_the_matrix(page: Page) -> None:
    versions = [stage.add_version(number) for number in (1, 2, 3)]
    first, second = (stage.add_model(f"Forest-1.0.0-{number}", arrived=NOON) for number in (2, 1))
    for model in (first, second):
        for version in (versions[0], versions[2]):
            stage.finish(model, version)
    page.goto("/matrix/")
    rows = page.locator(".matrix tbody tr").filter(has=page.locator("td"))
    rows.nth(0).locator("td a").nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(rows.nth(0).locator("td").nth(2).locator("a")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1).locator("td").nth(2).locator("a")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(rows.nth(1).locator("td").nth(2).locator("a")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(rows.nth(1).locator("td").nth(0).locator("a")).to_be_focused()


def test_another_tag_brings_its_versions_into_the_leaderboard_s_choice(page: Page) -> None:
    stage.finish(stage.add_model(), stage.add_version(7))
    page.goto("/leaderboard/")
    expect(page.get_by_label("Version")).to_have_count(0)
    page.get_by_label("Dataset tag").select_option("impacts")
    page.get_by_label("Version").select_option("v7")
    expect(page).to_have_url(re.compile("tag=impacts&version=7"))
    expect(page.get_by_role("heading", name="damage detector")).to_be_visible()


def test_curves_are_loaded_when_they_come_in_view_and_saved_as_pictures(
    page: Page, settings: Settings, tmp_path: Path
) -> None:
    settings.ATLAS_OBJECT_STORE = str(tmp_path)
    benchmark = explain(events())
    page.set_viewport_size({"width": 1280, "height": 700})
    page.goto(f"/benchmarks/{benchmark}/")
    expect(page.locator("#roc")).to_have_count(0)
    page.get_by_text("Loading the curves").scroll_into_view_if_needed()
    expect(page.locator("#roc .scatterlayer .trace")).to_have_count(4)  # three classes, and guessing
    with page.expect_download() as download:
        page.locator("[data-png=roc]").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
