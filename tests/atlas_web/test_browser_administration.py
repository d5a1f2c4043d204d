"""Administration in a real browser: the live log, and rows that are chosen in a list."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from atlas.states import Level, State
from atlas_web.pages import log
from storage import records
from storage.models import Benchmark, Model
from tests import stage

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, client: Client) -> Iterator[Page]:
    client.force_login(User.objects.create_superuser("root"))
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def write(text: str, level: Level = Level.INFO) -> None:
    records.log("engine", text, now=timezone.now(), level=level)


def distance_to_the_end(page: Page) -> int:
    return int(page.locator("#tail").evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight"))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SECONDS", 1)


@pytest.mark.usefixtures("hasty")
def test_the_log_follows_what_is_written_until_one_scrolls_up(page: Page) -> None:
    for number in range(90):
        write(f"line {number}")
    page.goto("/logs/")
    expect(page.locator(".line")).to_have_count(90)
    assert distance_to_the_end(page) < 24
    write("the first that came")
    expect(page.locator(".line").last).to_contain_text("the first that came")
    expect(page.locator(".line").last).to_be_in_viewport()
    with page.expect_event("console", lambda message: message.text == "scrolled"):
        page.locator("#tail").evaluate(
            "box => { box.addEventListener('scroll', () => console.log('scrolled')); box.scrollTop = 0; }"
        )
    write("the second that came")
    expect(page.locator(".line").last).to_contain_text("the second that came")
    expect(page.locator(".line").first).to_be_in_viewport()


@pytest.mark.usefixtures("hasty")
def test_the_live_log_is_narrowed_as_the_rest_is_and_waits_while_it_is_switched_off(page: Page) -> None:
    write("all is well")
    page.goto("/logs/")
    page.get_by_label("Level").select_option("error")
    expect(page.locator(".line")).to_have_count(0)
    write("still well")
    write("not well", Level.ERROR)
    expect(page.locator(".line")).to_have_count(1)
    page.get_by_label("Live").uncheck()
    write("worse", Level.ERROR)
    with page.expect_request("**/nowhere"):  # two looks would have been made by then
        page.evaluate("setTimeout(() => fetch('/nowhere'), 2200)")
    expect(page.locator(".line")).to_have_count(1)
    page.get_by_label("Live").check()
    expect(page.locator(".line")).to_have_count(2)


def test_rows_are_chosen_and_what_is_done_concerns_them_alone(page: Page) -> None:
    version = stage.add_version()
    for number in range(3):
        stage.queue(stage.add_model(f"Forest{number}"), version)
    page.goto("/benchmarks/")
    bar = page.locator("[data-bulk]")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose Forest1 on impacts v1").check()
    expect(bar).to_contain_text("1 chosen")
    page.get_by_label("Choose all rows of this page").check()
    expect(bar).to_contain_text("3 chosen")
    page.get_by_label("Choose Forest0 on impacts v1").uncheck()
    bar.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled: 2 benchmarks.")).to_be_visible()
    assert Benchmark.objects.get(state=State.QUEUED).model.name == "Forest0"


def test_all_that_match_the_search_are_deleted_after_a_page_that_says_what_will_go(page: Page) -> None:
    for number in range(30):
        stage.add_model(f"Forest{number}")
    stage.add_model("Linear1")
    page.goto("/models/")
    page.get_by_label("Search models").fill("Forest")
    expect(page.get_by_text("of 30 models")).to_be_visible()
    page.get_by_label("Choose all rows of this page").check()
    bar = page.locator("[data-bulk]")
    expect(bar).to_contain_text("25 chosen")
    bar.get_by_label("All models that match the filter").check()
    expect(bar).to_contain_text("30 chosen")
    bar.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 30 models?")).to_be_visible()
    assert Model.objects.count() == 31
    page.get_by_role("button", name="Delete 30 models").click()
    expect(page.get_by_text("Deleted 30 models")).to_be_visible()
    assert Model.objects.get().name == "Linear1"
