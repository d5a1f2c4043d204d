"""The search boxes in a real browser: what they offer, by keyboard and mouse."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import stage
from tests.samples import result

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.any_database]


ABORTED = ("htmx:sendAbort", "htmx:afterRequest")
"""What htmx says where somebody goes to another page before a search was answered."""


def is_fault(said: ConsoleMessage) -> bool:
    """Whether something is wrong with the page."""
    return said.type == "error" and not said.text.startswith(ABORTED)


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    version = stage.add_version(1)
    stage.finish(stage.add_model("Forest-1.0.0-1"), version, result(f1=0.9))
    stage.finish(stage.add_model("Linear-1.0.0-1", use_case="scratch finder"), version, result(f1=0.5))
    client = Client()
    client.force_login(User.objects.create_user("ilse"))
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if is_fault(said) else None)
    yield opened
    context.close()
    assert faults == []


def violations(page: Page) -> list[str]:
    """What axe finds on the page at rest: what is being loaded is dimmed."""
    expect(page.locator(".htmx-request")).to_have_count(0)
    return [found["id"] for found in Axe().run(page).response["violations"]]


def options(page: Page) -> Locator:
    return page.locator("[role=option]:visible")


def query(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("q", [""])[0]


@pytest.mark.parametrize("address", ["/models/", "/benchmarks/"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_query_is_written_with_the_keyboard_alone(page: Page, address: str, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(address)
    box = page.locator("[data-complete]")
    box.focus()
    page.keyboard.type("use_")
    expect(options(page)).to_have_count(1)
    expect(box).to_have_attribute("aria-expanded", "true")
    page.wait_for_url("**q=use_")  # what was typed has been searched for
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "id_q-choices-0")
    page.keyboard.press("Enter")
    expect(box).to_have_value("use_case ")
    page.keyboard.type("= ")
    expect(options(page)).to_have_text(["damage detector", "scratch finder"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(box).to_have_value('use_case = "scratch finder" ')
    expect(options(page)).to_have_text(["and", "or"])
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value('use_case = "scratch finder" ')
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("Linear")
    assert query(page) == 'use_case = "scratch finder" '


def test_metrics_and_states_are_offered_too_and_the_mouse_takes_them(page: Page) -> None:
    page.goto("/benchmarks/")
    box = page.locator("[data-complete]")
    box.press_sequentially("f1_mac")
    options(page).filter(has_text="f1_macro").click()
    expect(box).to_have_value("f1_macro ")
    box.fill("")
    box.press_sequentially("state in (")
    expect(options(page)).to_have_text(["queued", "running", "done", "failed", "incompatible", "cancelled"])
    options(page).filter(has_text="done").click()
    box.press_sequentially(")")
    expect(box).to_have_value('state in ("done")')
    expect(page.locator("tbody tr")).to_have_count(2)


def test_what_is_wrong_is_said_while_the_rows_stay_and_goes_when_it_is_mended(page: Page) -> None:
    page.goto("/models/")
    box = page.locator("[data-complete]")
    box.fill("f1 > high")
    expect(page.locator("#id_q_error")).to_contain_text("Column 6: Expected")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert query(page) == ""
    assert violations(page) == []
    box.fill("f1 > 0.8")
    expect(page.locator("#id_q_error")).to_be_empty()
    expect(box).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_plain_words_are_searched_for_without_any_offer(page: Page) -> None:
    page.goto("/models/")
    page.locator("[data-complete]").press_sequentially("forest")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(options(page)).to_have_count(0)


def test_the_help_opens_and_closes(page: Page) -> None:
    page.goto("/models/")
    page.get_by_role("button", name="How to search").click()
    expect(page.locator("#search-help")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#search-help")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_found_from_any_page_by_keyboard(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto("/datasets/")
    page.keyboard.press("/")
    page.keyboard.type("impacts")
    expect(options(page).first).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(options(page)).to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_be_visible()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_have_text("impacts")
    page.keyboard.press("Enter")
    page.wait_for_url("**/datasets/impacts/")


def test_enter_leads_to_all_that_is_found(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("forest")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=forest")
    assert violations(page) == []
    page.get_by_role("link", name="1 model", exact=True).click()
    page.wait_for_url("**/models/?q=forest")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_phones_have_a_page_to_search_on(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    page.get_by_role("link", name="Search everything").click()
    page.get_by_label("Search for").fill("linear")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("main")).to_contain_text("Linear-1.0.0-1")
    assert violations(page) == []
