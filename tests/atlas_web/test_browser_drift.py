"""The pages of drift in a real browser: from a number to the distributions behind it."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.drifting import changing_dataset

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, client: Client) -> Iterator[Page]:
    client.force_login(User.objects.create_user("ilse"))
    with browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900}) as context:
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        yield context.new_page()


def test_a_click_on_a_cell_a_point_or_a_version_shows_the_distributions(page: Page) -> None:
    changing_dataset()
    page.goto("/datasets/impacts/drift/")
    heading = page.locator("#h-column")
    expect(heading).to_have_text("labels (label) on v3, compared with v2")
    page.get_by_role("row", name="gas.temperature").get_by_role("link", name="0.31").click()
    expect(heading).to_have_text("gas.temperature on v2, compared with v1")
    expect(page.locator("#distributions .bars .point")).to_have_count(6)
    assert page.url.endswith("?version=2&column=column%3Agas.temperature")

    page.locator("#v3").click()
    expect(heading).to_have_text("labels (label) on v3, compared with v2")

    page.locator("#scores .trace").first.locator(".point").first.click(force=True)
    expect(heading).to_have_text("gas.temperature on v2, compared with v1")

    page.get_by_label("Measure", exact=True).select_option("population_stability")
    expect(page.get_by_role("row", name="gas.temperature").get_by_role("link", name="0.38")).to_be_visible()
    page.get_by_role("link", name="First version").click()
    expect(page.get_by_role("row", name="gas.temperature").get_by_role("link", name="0.44")).to_have_count(2)
