"""From the alert on the home page to the reason, in a real browser."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import alerts
from tests.dropping import dropped

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.any_database]

MOST_CLICKS = 3


class Person:
    """Somebody who looks at pages, and how often they have clicked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1


@pytest.fixture
def person(browser: Browser, live_server: LiveServer, client: Client) -> Iterator[Person]:
    client.force_login(User.objects.create_user("ilse"))
    with browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 860}) as context:
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        yield Person(context.new_page())


def test_from_the_alert_to_the_reason_in_at_most_three_clicks(person: Person) -> None:
    dropped(now=timezone.now())
    alerts.add_rule()
    alerts.look()
    page = person.page
    page.goto("/")
    alert = page.get_by_role("region", name="Needs attention").get_by_role("listitem").first
    expect(alert).to_contain_text("Accuracy of DamageDetector-2.3.0")
    person.click(alert.get_by_role("link", name="See why"))
    reason = page.locator("#drop .verdict").get_by_role("link", name="of the fall comes from car B")
    expect(reason).to_be_in_viewport()
    person.click(reason)
    expect(page.get_by_role("region", name="Slices that got worse", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("row", name="car B").first).to_be_in_viewport()
    assert person.clicks <= MOST_CLICKS


def test_another_choice_is_shown_in_place_and_in_the_address(person: Person) -> None:
    found, page = dropped(), person.page
    page.goto(f"/benchmarks/{found.now}/why/")
    page.get_by_label("Metric", exact=True).select_option("F1")
    expect(page.locator("#drop .verdict")).to_contain_text("F1 fell from")
    expect(page.locator("#history .scatterlayer .point")).to_have_count(2)
    assert page.url.endswith(f"/why/?metric=f1&against={found.before}")
    page.locator("#events").scroll_into_view_if_needed()
    expect(page.locator("#events")).to_contain_text("what changed comes from 600 new events")
