"""A person's account, the audit log, and lists that come back, in a real browser."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from atlas.access import Role, Verb
from storage import records
from tests import stage
from tests.samples import NOON

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    user = User.objects.create_user("ilse", password="correct horse")
    records.set_role(user.pk, Role.ADMINISTRATOR)
    client = Client()
    client.force_login(user)
    context = browser.new_context(base_url=live_server.url, permissions=["clipboard-read", "clipboard-write"])
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    yield context.new_page()
    context.close()


def violations(page: Page) -> list[str]:
    return [found["id"] for found in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/account/", "/audit/"])
def test_axe_finds_nothing(page: Page, address: str, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    records.create_token(User.objects.get().pk, "old", [], expires=NOON, now=NOON)
    page.goto(address)
    assert violations(page) == []


def test_a_token_is_made_copied_and_revoked(page: Page) -> None:
    page.goto("/account/")
    page.get_by_label("Name", exact=True).fill("nightly")
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator("#secret").inner_text()
    assert secret.startswith("atlas_")
    page.get_by_role("button", name="Copy the secret").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert violations(page) == []
    page.get_by_role("link", name="I have copied it").click()
    expect(page.locator("#secret")).to_have_count(0)
    page.get_by_role("button", name="Revoke nightly").click()
    expect(page.get_by_text("The token nightly is revoked.")).to_be_visible()


def test_a_list_comes_back_as_it_was_left_until_its_filters_are_cleared(page: Page) -> None:
    stage.add_model("Forest-1.0.0-1")
    stage.add_model("Linear-1.0.0-1")
    page.goto("/models/")
    page.get_by_label("Search models").fill("forest")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Home").click()
    page.get_by_role("link", name="Models", exact=True).first.click()
    expect(page.locator("#table tbody tr")).to_have_count(1)
    assert page.url.endswith("/models/?q=forest")
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.locator("#table tbody tr")).to_have_count(2)
    assert page.url.endswith("/models/")


def test_the_audit_log_s_csv_has_the_filters_that_were_set_last(page: Page) -> None:
    records.record_action("jan", Verb.UPLOADED, "model", "Forest", now=NOON)
    page.goto("/audit/")
    page.get_by_label("Search the audit log").fill("nothing")
    expect(page.get_by_text("No action matches")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.path().read_text().splitlines() == ["time,person,verb,kind,thing,detail,via"]
