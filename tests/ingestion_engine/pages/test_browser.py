"""The engine's pages in a real browser: labelling by the mouse, a query that is completed, and everybody's needs."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from ingestion_engine.models import Event, Tag, Version
from tests.ingestion_engine.everybody import check_that_everybody_can_use
from tests.ingestion_engine.pages.conftest import Engine, add, drive
from tests.ingestion_engine.pages.test_tag_pages import make

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def page(browser: Browser, transactional_db: None, engine: Engine, live_server: LiveServer) -> Iterator[Page]:
    name = settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": engine.client.cookies[name].value, "url": live_server.url}
    with browser.new_context(base_url=live_server.url, reduced_motion="reduce") as context:
        context.add_cookies([cookie])  # type: ignore[list-item]
        opened = context.new_page()
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        yield opened
        assert faults == []


def labels() -> list[tuple[object, int]]:
    """The label of each event, and when it begins in whole seconds."""
    found = Event.objects.filter(until=None).order_by("time").values_list("label", "event_id")
    return [(label, round(float(name.partition("/")[2]))) for label, name in found]


def drag(page: Page, start: float, end: float) -> None:
    """Drag over the chart of a recording of ten seconds, which shows all of it."""
    canvas = page.locator("[data-chart-signal]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * start / 10, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end / 10, box["y"] + 120, steps=5)
    page.mouse.up()


def test_an_event_is_labelled_by_the_mouse(page: Page, engine: Engine) -> None:
    drive()
    page.goto("/recordings/drive/")
    page.wait_for_load_state("networkidle")
    drag(page, 3, 4)
    page.get_by_label("Label", exact=True).fill("dent")
    page.get_by_role("button", name="Add the event").click()
    expect(page.locator("tbody a.model")).to_have_text("dent")
    assert labels() == [("dent", 3)]

    page.wait_for_load_state("networkidle")
    drag(page, 3.5, 3.5)
    expect(page.locator("[data-form-title]")).to_contain_text("Event 3")
    page.get_by_label("Label", exact=True).fill("scratch")
    page.get_by_role("button", name="Save the change").click()
    expect(page.locator("tbody a.model")).to_have_text("scratch")
    assert labels() == [("scratch", 3)]


def test_a_query_is_completed_and_counted(page: Page, engine: Engine) -> None:
    add(drive())
    page.goto("/new-tag/")
    page.get_by_label("Name", exact=True).fill("dents")
    query = page.locator("#id_query")
    query.press_sequentially("lab")
    expect(page.get_by_role("option", name="label", exact=True)).to_be_visible()
    query.press("ArrowDown")
    query.press("Enter")
    expect(query).to_have_value("label ")
    query.press_sequentially("= d")
    query.press("Backspace")
    query.press_sequentially('"d')
    page.get_by_role("option", name='"dent"').click()
    expect(page.locator("#preview strong")).to_have_text("1")
    page.get_by_role("button", name="Make the tag").click()
    expect(page.get_by_role("heading", name="dents")).to_be_visible()
    assert Tag.objects.get().query == 'label = "dent"'


@pytest.mark.parametrize(
    "address",
    [
        "/recordings/",
        "/send/",
        "/recordings/drive/",
        "/recordings/drive/signals/",
        "/recordings/drive/events/1.000/",
        "/tags/",
        "/new-tag/",
        "/tags/all/",
        "/versions/{query_id}/",
    ],
)
def test_every_page_is_for_everybody(page: Page, engine: Engine, address: str) -> None:
    add(drive())
    make("all")
    page.goto(address.format(query_id=Version.objects.get().query_id))
    page.wait_for_load_state("networkidle")
    check_that_everybody_can_use(page)
