"""Sending models from a page in a real browser: in parts, with progress, and gone on with after a lost connection."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, Request, Route, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from atlas.access import Role
from storage import records
from storage.models import Upload
from storage.objects import open_store
from tests import bundles, stage

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.any_database]
PARTS = "**/api/v1/uploads/*"


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, client: Client) -> Iterator[Page]:
    user = User.objects.create_user("ilse", email="ilse@example.org")
    records.set_role(user.pk, Role.DATA_SCIENTIST)
    client.force_login(user)
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.uploads.PART_BYTES", 500)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.packed(tmp_path / "bundle")


def offsets(page: Page) -> list[int]:
    """Where the parts begin that the page sends from now on."""
    found: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PUT":
            found.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return found


def stored(path: Path) -> bool:
    with open_store(configured.ATLAS_OBJECT_STORE).open(f"models/{path.name}") as stream:
        return stream.read() == path.read_bytes()


def test_several_files_are_chosen_and_each_has_its_result(page: Page, bundle: Path, tmp_path: Path) -> None:
    wreck, letter, plain = tmp_path / "wreck.atlas", tmp_path / "letter.docx", tmp_path / "plain.joblib"
    wreck.write_bytes(b"no zip file")
    letter.write_bytes(b"Dear Sir")
    joblib.dump(bundles.classifier(), plain)
    page.goto("/models/")
    page.get_by_role("link", name="Send a model").first.click()
    page.wait_for_url("/upload/")
    begins = offsets(page)
    page.get_by_label("Drop model files here").set_input_files([bundle, wreck, letter, plain])
    rows = page.locator("[data-uploads] > li")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("Accepted.")
    expect(rows.nth(0)).to_contain_text(f"{bundle.stem} lies in the object store.")
    expect(rows.nth(1)).to_contain_text("Refused: bundle.atlas is not a bundle, or a damaged one")
    expect(rows.nth(2)).to_contain_text("Refused: A file that ends in .atlas, ")
    expect(rows.nth(3).get_by_role("link", name="Describe it")).to_be_visible()
    assert begins[:3] == [0, 500, 1000]
    assert stored(bundle)


def test_a_dropped_file_shows_how_much_of_it_is_sent(page: Page, bundle: Path) -> None:
    page.goto("/upload/")
    held: list[Route] = []

    def hold_the_third(route: Route, request: Request) -> None:
        if request.headers.get("upload-offset") == "1000":
            held.append(route)
        else:
            route.continue_()

    page.route(PARTS, hold_the_third)
    dropped = page.evaluate_handle(
        """([name, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], name));
            return data;
        }""",
        [bundle.name, list(bundle.read_bytes())],
    )
    page.dispatch_event("[data-drop]", "dragover", {"dataTransfer": dropped})
    expect(page.locator("[data-drop]")).to_have_class("drop is-over")
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    bar = page.get_by_role("progressbar", name=f"How much of {bundle.name} is sent")
    expect(bar).to_have_js_property("max", bundle.stat().st_size)
    page.wait_for_function("() => document.querySelector('[data-uploads] progress').value >= 1000")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("[data-uploads] > li")).to_contain_text("Accepted.")
    assert stored(bundle)


def test_a_lost_connection_only_delays_it(page: Page, bundle: Path) -> None:
    page.goto("/upload/")
    lost: list[str] = []

    def lose_once(route: Route, request: Request) -> None:
        if request.headers.get("upload-offset") == "500" and not lost:
            lost.append(request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(PARTS, lose_once)
    begins = offsets(page)
    page.get_by_label("Drop model files here").set_input_files(bundle)
    expect(page.locator("[data-uploads] > li")).to_contain_text("Accepted.")
    assert begins[:4] == [0, 500, 500, 1000]
    assert stored(bundle)


def test_the_same_file_goes_on_where_it_stopped_after_a_reload(page: Page, bundle: Path) -> None:
    page.goto("/upload/")
    page.route(PARTS, lambda route, request: _lose_from(1000, route, request))
    page.get_by_label("Drop model files here").set_input_files(bundle)
    expect(page.locator("[data-uploads] > li")).to_contain_text("No connection.")
    page.unroute_all()
    page.goto("/upload/")
    expect(page.locator("section", has_text="Not finished")).to_contain_text("Choose the same file again")
    begins = offsets(page)
    page.get_by_label("Drop model files here").set_input_files(bundle)
    expect(page.locator("[data-uploads] > li")).to_contain_text("Accepted.")
    assert begins[0] == 1000
    assert stored(bundle)
    assert Upload.objects.get().sha256 == hashlib.sha256(bundle.read_bytes()).hexdigest()


def _lose_from(offset: int, route: Route, request: Request) -> None:
    if int(request.headers.get("upload-offset", "0")) >= offset:
        route.abort("connectionreset")
    else:
        route.continue_()


def test_a_file_can_be_cancelled_while_it_is_sent(page: Page, bundle: Path) -> None:
    page.goto("/upload/")
    page.route(PARTS, lambda route, request: _lose_from(500, route, request))
    page.get_by_label("Drop model files here").set_input_files(bundle)
    row = page.locator("[data-uploads] > li")
    expect(row).to_contain_text("No connection.")
    with page.expect_response(lambda response: response.request.method == "DELETE") as answer:
        row.get_by_role("button", name=f"Cancel {bundle.name}").click()
    expect(row).to_contain_text("Cancelled.")
    assert answer.value.status == 204
    assert not Upload.objects.exists()


def test_a_bundle_whose_name_another_has_is_refused(page: Page, bundle: Path) -> None:
    stage.add_model(bundle.stem)
    page.goto("/upload/")
    page.get_by_label("Drop model files here").set_input_files(bundle)
    row = page.locator("[data-uploads] > li")
    expect(row).to_contain_text(f"Refused: The name {bundle.stem} is taken by another model.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, bundle: Path, tmp_path: Path, theme: str) -> None:
    stage.add_version()
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    plain = tmp_path / "Forest.joblib"
    plain.write_bytes(b"a fitted model")
    page.goto("/upload/")
    page.get_by_label("Drop model files here").set_input_files([bundle, plain])
    page.get_by_role("link", name="Describe it").wait_for()
    expect(page.locator("[data-uploads]")).to_contain_text("lies in the object store")
    assert violations(page) == []
    page.get_by_role("link", name="Describe it").click()
    page.get_by_role("button", name="Send and benchmark").click()
    expect(page.get_by_role("alert")).to_contain_text("Not sent yet")
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    return [found["id"] for found in Axe().run(page).response["violations"]]


def test_a_file_that_is_too_large_is_refused_before_anything_is_sent(
    page: Page, bundle: Path, settings: Settings
) -> None:
    settings.ATLAS_MAX_UPLOAD_BYTES = 1024
    page.goto("/upload/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Drop model files here").set_input_files(bundle)
    expect(page.locator("[data-uploads] > li")).to_contain_text(
        re.compile(r"The file has 1\.\d KiB; 1 KiB are allowed")
    )
    assert [url for url in asked if "/static/" not in url] == []  # the browser may still fetch the page's icon


def test_a_plain_model_is_described_and_sent(page: Page, tmp_path: Path) -> None:
    stage.add_version()
    plain = tmp_path / "Forest.joblib"
    joblib.dump(bundles.classifier(), plain)
    page.goto("/upload/")
    page.get_by_label("Drop model files here").set_input_files(plain)
    page.wait_for_url(re.compile(r"/upload/[0-9a-f-]{36}/$"))
    expect(page.get_by_label("Columns that it reads")).to_have_value("peak\nrms")
    page.get_by_label("It predicts").select_option("regression")
    expect(page.get_by_label("Primary metric").locator("option", has_text="F1")).to_have_count(0)
    expect(page.get_by_label("Classes")).to_have_value("")
    page.get_by_label("It predicts").select_option("binary")
    expect(page.get_by_label("Classes")).to_have_value("damaged\nintact")
    page.get_by_label("Use case").fill("damage detector")
    page.get_by_role("button", name="Preview the manifest").click()
    expect(page.locator("section", has_text="What the manifest will say")).to_contain_text("damaged, intact")
    page.get_by_role("button", name="Send and benchmark").click()
    expect(page.locator("[data-arrival]")).to_contain_text("lies in the object store")
    model = stage.add_model(Upload.objects.get().name.removesuffix(".atlas"))
    expect(page.locator("[data-arrival]").get_by_role("link")).to_have_attribute("href", f"/models/{model}/")
