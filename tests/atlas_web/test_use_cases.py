"""What people come for, each from the home page on, by what is written there, in as few clicks as it takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from atlas.access import Role
from atlas.states import Level
from storage import queries, records
from storage.models import Author, Model
from storage.objects import open_store
from tests import bundles, stage
from tests.atlas_web.explaining import explain
from tests.atlas_web.explaining import put as put_object
from tests.comparing import compared
from tests.samples import result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def home(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """The home page, as an administrator sees it who has just signed in."""
    user = User.objects.create_user("ilse", is_staff=True)
    records.set_role(user.pk, Role.ADMINISTRATOR)
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    with browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900}) as context:
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.goto("/")
        yield page


def menu(page: Page, entry: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=entry, exact=True).click()
    expect(page.get_by_role("heading", name=entry, level=1)).to_be_visible()
    page.wait_for_load_state()


def rows(page: Page) -> Locator:
    return page.locator("#table tbody tr")


def test_upload_a_model(home: Page, tmp_path: Path) -> None:
    bundle = bundles.packed(tmp_path / "bundle")
    menu(home, "Models")
    home.get_by_role("link", name="Send a model").first.click()
    home.get_by_label("Drop model files here").set_input_files(bundle)
    expect(home.get_by_text("Accepted.")).to_be_visible()
    with open_store(str(settings.ATLAS_OBJECT_STORE)).open(f"models/{bundle.name}") as stored:
        assert stored.read() == bundle.read_bytes()


def test_delete_a_model(home: Page) -> None:
    stage.finish(stage.add_model("Forest-1.0.0-1"), stage.add_version())
    home.reload()
    home.get_by_role("link", name="Forest-1.0.0-1").first.click()
    home.get_by_role("link", name="Delete").click()
    expect(home.get_by_role("heading", name="What will go")).to_be_visible()
    assert Model.objects.count() == 1
    home.get_by_role("button", name="Delete").click()
    expect(home.get_by_role("status").filter(has_text="Deleted")).to_be_visible()
    assert Model.objects.count() == 0
    assert [action.verb for action in queries.actions()] == ["deleted"]


def test_create_read_update_and_delete_rows_of_the_database(home: Page) -> None:
    menu(home, "Administration")
    home.get_by_role("link", name="Tables").click()
    home.get_by_role("link", name="Authors", exact=True).click()
    home.get_by_role("link", name="Add author").last.click()
    home.get_by_label("Name").fill("Ines Prado")
    home.get_by_label("Email").fill("ines@example.org")
    home.get_by_role("button", name="Save", exact=True).click()
    home.locator("#result_list").get_by_role("link", name="Ines Prado").click()
    home.get_by_label("Name").fill("Inês Prado")
    home.get_by_role("button", name="Save", exact=True).click()
    home.locator("#result_list").get_by_role("link", name="Inês Prado").click()
    assert Author.objects.get().name == "Inês Prado"
    home.get_by_role("link", name="Delete", exact=True).click()
    home.get_by_role("button", name="Yes").click()
    expect(home.get_by_text("deleted successfully")).to_be_visible()
    assert not Author.objects.exists()


@pytest.mark.parametrize(
    ("entry", "choice", "option", "left", "column", "first"),
    [
        ("Models", "Use case", "dent finder", 1, "Model", "Forest-1"),
        ("Benchmarks", "State", "Failed", 1, "Model", "Forest-1"),
        ("Datasets", None, "winter", 1, "Dataset", "winter"),
    ],
)
def test_filter_and_order_every_table(
    home: Page, entry: str, choice: str | None, option: str, left: int, column: str, first: str
) -> None:
    stage.finish(stage.add_model("Forest-1"), stage.add_version())
    linear = stage.add_model("Linear-2", use_case="dent finder", tags=("winter",))
    stage.fail(linear, stage.add_version(1, tag="winter"))
    menu(home, entry)
    expect(rows(home)).to_have_count(2)
    home.get_by_role("columnheader", name=column).get_by_role("link").click()
    expect(rows(home).first).to_contain_text(first)
    if choice:
        home.get_by_label(choice, exact=True).select_option(option)
    else:
        home.locator("#main").get_by_role("searchbox").fill(option)
    expect(rows(home)).to_have_count(left)


def test_compare_benchmarks(home: Page) -> None:
    version = stage.add_version()
    compared("Old-1", 0.7, version=version)
    compared("New-2", 0.95, version=version, seed=2)
    menu(home, "Benchmarks")
    home.get_by_label("Choose Old-1 on impacts v1").check()
    home.get_by_label("Choose New-2 on impacts v1").check()
    home.get_by_role("button", name="Compare").click()
    expect(home.get_by_role("heading", name="Alchemy", level=1)).to_be_visible()
    expect(home.locator("#evidence")).to_contain_text("by accuracy")
    expect(home.get_by_role("row", name="Accuracy")).to_be_visible()


def test_filter_results_by_dataset(home: Page) -> None:
    stage.finish(stage.add_model("Forest-1"), stage.add_version())
    stage.finish(stage.add_model("Linear-2", tags=("winter",)), stage.add_version(1, tag="winter"))
    menu(home, "Benchmarks")
    home.get_by_label("Dataset tag", exact=True).select_option("winter")
    expect(rows(home)).to_have_count(1)
    expect(rows(home)).to_contain_text("Linear-2")
    menu(home, "Matrix")
    home.get_by_label("Dataset tag", exact=True).select_option("winter")
    expect(home.locator(".matrix tbody td")).to_have_count(1)


def test_see_all_metadata_of_a_model(home: Page) -> None:
    stage.finish(stage.add_model("Forest-1.0.0-1"), stage.add_version())
    home.reload()
    home.get_by_role("link", name="Forest-1.0.0-1").first.click()
    for said in ("damage detector", "1.0.0", "Ines Prado", "scikit-learn 1.9.1", "Python 3.11.7", "impacts", "SHA-256"):
        expect(home.locator("#main")).to_contain_text(said)
    expect(home.get_by_role("table", name="Benchmarks of this model")).to_contain_text("0.800")


def test_read_why_a_model_predicts_as_it_does(home: Page) -> None:
    explain()
    home.reload()
    home.get_by_role("region", name="Latest benchmarks").get_by_role("link", name="Forest-1.0.0-1").click()
    home.get_by_role("link", name="Explanation", exact=True).click()
    expect(home.locator("#importance .barlayer .point").first).to_be_visible()


def test_read_about_a_dataset(home: Page) -> None:
    stage.finish(stage.add_model(), stage.add_version(1))
    stage.add_version(2)
    menu(home, "Datasets")
    home.get_by_role("link", name="impacts", exact=True).click()
    for heading in ("Label", "Columns", "Benchmarks on v2", "Query"):
        expect(home.get_by_role("heading", name=heading).first).to_be_visible()
    home.get_by_role("list", name="Versions of impacts").get_by_role("link", name="v1").click()
    expect(home.get_by_role("heading", name="Benchmarks on v1")).to_be_visible()


def test_read_the_logs(home: Page) -> None:
    records.log("engine", "all is well", now=timezone.now())
    records.log("storage", "the disk is full", now=timezone.now(), level=Level.ERROR)
    menu(home, "Logs")
    home.get_by_label("Level", exact=True).select_option("error")
    expect(home.locator(".line")).to_have_count(1)
    expect(home.locator(".line")).to_contain_text("the disk is full")
    with home.expect_download() as download:
        home.get_by_role("link", name="CSV").click()
    assert len(download.value.path().read_text().splitlines()) == 2


def test_download_a_model(home: Page) -> None:
    model = Model.objects.get(pk=stage.add_model("Forest-1.0.0-1"))
    put_object(model.key, b"a bundle")
    home.reload()
    home.get_by_role("link", name="Forest-1.0.0-1").first.click()
    with home.expect_download() as download:
        home.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "Forest-1.0.0-1.atlas"
    assert download.value.path().read_bytes() == b"a bundle"


def test_find_the_best_model_and_what_is_missing(home: Page) -> None:
    version = stage.add_version()
    for name, f1 in (("Forest-1", 0.7), ("Linear-2", 0.9)):
        stage.finish(stage.add_model(name), version, result(f1=f1))
    menu(home, "Leaderboard")
    expect(home.locator("#main tbody tr").first).to_contain_text("Linear-2")
    menu(home, "Matrix")
    expect(home.locator(".matrix tbody td")).to_have_text(["0.900", "0.700"])
