"""Every page of the dashboard as people meet it: read aloud, by the keyboard, in the dark and on a phone.

Which pages there are is read from access.txt, from which no route may be missing. `make test-system` runs these.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from atlas.access import Right, Role
from atlas.gates import Outcome, Rule
from atlas.results import Progress
from atlas.states import Phase
from atlas.watching import GateCheck, GateKind, Stage
from storage import queries, records
from tests import alerts, living, stage
from tests.atlas_web.explaining import explain
from tests.atlas_web.predicting import predict
from tests.atlas_web.routes import cases
from tests.comparing import compared
from tests.drifting import column, drift, from_reference, keep, keep_for
from tests.dropping import dropped
from tests.samples import NOON

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

# What the routes give that are no pages, or not Atlas' own.
NO_PAGES = {
    "healthz": "one word for programs",
    "readyz": "one word for programs",
    "metrics": "numbers for a program",
    "curves": "a part of a benchmark's page, which is looked at with it",
    "why-events": "a part of the page of a drop, which is looked at with it",
    "figure": "a part of an explanation's page, which is looked at with it",
    "signals": "a part of an event's page, which is looked at with it",
    "alchemy-evidence": "a part of Alchemy's page, which is looked at with it",
    "log-tail": "the lines that are new in the log, which are looked at with it",
    "search-fields": "JSON for the completion of a search",
    "report-html": "a file with what the report's page shows",
    "report-pdf": "a file",
    "predictions": "a file",
    "inference-file": "a file",
    "inference-values": "a part of a predicted row's page, which is looked at with it",
    "values": "a file",
    "picture": "a file",
    "log-download": "a file",
    "audit-csv": "a file",
    "acknowledge": "a part of the home page, which a button there shows",
    "admin:": "the pages of Django's admin, whose templates are Django's",
    "api:": "JSON, and the page of the API's document, which is drawn by a library",
}
NEEDS_ROWS = {
    "{alert}", "{benchmark}", "{channel}", "{dropped}", "{explained}", "{gate_rule}", "{inference}", "{model}",
    "{rule}", "/impacts/", "event-",
}  # fmt: skip
ADDRESSES = [
    case.address
    for case in cases()
    if (case.method, case.role, case.status) == ("GET", Role.ADMINISTRATOR, 200) and case.route not in NO_PAGES
]
EMPTY = [address for address in ADDRESSES if not any(part in address for part in NEEDS_ROWS)]
LONG_NAME = "AModelWithAVeryLongNameThatNobodyWouldChoose-1.0.0-1625660010"

# How every control looks before and after it has the focus; a key was pressed, so the browser shows where it is.
UNSEEN_FOCUS = """() => {
  const looks = ["outline", "boxShadow", "borderColor", "backgroundColor"];
  const look = (el) => looks.map((name) => getComputedStyle(el)[name]).join();
  const controls = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']");
  return [...controls].filter((el) => el.checkVisibility({visibilityProperty: true}) && !el.disabled).filter((el) => {
    document.activeElement.blur();
    const before = look(el);
    el.focus();
    return document.activeElement === el && look(el) === before;
  }).map((el) => el.outerHTML.slice(0, 160));
}"""

BEYOND_THE_EDGE = """() => {
  const scrolls = (el) => el && (getComputedStyle(el).overflowX !== "visible" || scrolls(el.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((el) => el.getBoundingClientRect().right + scrollX > 390 && !scrolls(el.parentElement))
    .map((el) => el.outerHTML.slice(0, 160)).slice(0, 5);
}"""


@pytest.fixture
def visitor(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page of somebody who has not signed in."""
    with browser.new_context(base_url=live_server.url, reduced_motion="reduce") as context:
        yield context.new_page()


@pytest.fixture
def page(visitor: Page, live_server: LiveServer) -> Page:
    sign_in(visitor, live_server, Role.ADMINISTRATOR)
    return visitor


def sign_in(page: Page, live_server: LiveServer, role: Role) -> None:
    user = User.objects.create_user("ilse", password="correct horse", is_staff=True)
    records.set_role(user.pk, role)
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])


@pytest.fixture
def rows() -> dict[str, int]:
    """The keys of a benchmark in every state, of models with short and long names, and of what is explained."""
    model = stage.add_model(LONG_NAME)
    versions = [stage.add_version(number) for number in range(3, 8)]
    keys = {"model": model, "benchmark": stage.finish(model, versions[0]), "explained": explain(version=2)}
    keys["dropped"] = dropped().now
    keys["inference"] = predict()
    keys["failed"] = stage.fail(model, versions[1], "It ended with " + "x" * 90, now=timezone.now())
    running = stage.run(model, versions[2], now=timezone.now())
    records.report_progress({running: Progress(phase=Phase.PREDICTING, done=25, total=100)})
    keys["running"] = running.benchmark
    keys["queued"] = stage.queue(model, versions[3])
    keys["incompatible"] = stage.queue(model, versions[4], incompatible="The column peak is missing.")
    keys["other"] = compared("Linear-1.0.0-2", 0.9, version=versions[0], seed=2)
    keys["invalid"] = stage.add_invalid_file("broken.atlas", "It is not a zip file.", arrived=timezone.now())
    rule = Rule(kind=GateKind.METRIC, metric="f1", threshold=0.9)
    keys["gate_rule"] = records.add_gate_rule("damage detector", rule, by="ilse", now=NOON).pk
    for name, after in ((LONG_NAME, Stage.CHAMPION), ("Linear-1.0.0-2", Stage.CANDIDATE)):
        passed = GateCheck(kind=GateKind.METRIC, passed=True, sentence="F1 is " + "9" * 90)
        outcome = Outcome(use_case="damage detector", checks=(passed,))
        pk = queries.models().get(name=name).pk
        records.set_stage(pk, after, by="ilse", why="w" * 90, outcome=outcome, now=timezone.now())
    records.create_token(
        User.objects.get_or_create(username="ilse")[0].pk, "nightly", [Right.READ], expires=NOON, now=NOON
    )
    living.week(model)
    keep(versions[0])
    keep(versions[1], drift(column(f"a.{'long_' * 8}name", 0.31), column("peak"), gone=("door",)))
    keep_for(keys["benchmark"], from_reference(column("peak", 0.2)))
    records.log("engine", "models/" + "x" * 120, now=NOON, detail="y" * 500)
    return keys | {name: int(key) for name, key in alerts.add_all().items() if name != "message"}


def faults(page: Page) -> list[str]:
    """What is wrong with the page that is open: on a wide screen in light and dark, by the keyboard, on a phone."""
    page.wait_for_load_state("networkidle")
    for card in page.locator(".card:has(.is-loading)").evaluate_all("cards => cards.map((card) => card.id)"):
        page.locator(f"#{card}").evaluate("card => card.scrollIntoView()")
        expect(page.locator(f"#{card} .is-loading")).to_have_count(0)
    found = [f"{page.locator('h1').count()} headings of the first level"] if page.locator("h1").count() != 1 else []
    found += [] if page.title().strip(" ·").removesuffix("· Atlas").strip() else ["no title"]
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found += [f"{theme}: {each}" for each in violations(page)]
    page.keyboard.press("Tab")
    found += [f"the focus cannot be seen: {each}" for each in page.evaluate(UNSEEN_FOCUS)]
    return found + _wide_on_a_phone(page)


def _wide_on_a_phone(page: Page) -> list[str]:
    """Whether the page scrolls sideways once its charts have had the time to follow the screen."""
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": 390, "height": 844})
    for _ in range(50):
        if page.evaluate("document.documentElement.scrollWidth") <= 390:
            return []
        page.wait_for_timeout(100)
    return [f"it scrolls sideways on a phone: {page.evaluate(BEYOND_THE_EDGE)}"]


def violations(page: Page) -> list[str]:
    """What axe finds: the rule, and the first of the elements that break it."""
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:300]}" for rule in Axe().run(page).response["violations"]]


def test_only_what_is_no_page_is_left_out(rows: dict[str, int]) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root", is_staff=True))
    for case in cases():
        if (case.method, case.role, case.status) == ("GET", Role.ADMINISTRATOR, 200) and case.route[-1] != ":":
            answer = client.get(case.address.format(**rows))
            content = answer.getvalue()  # read to its end: a file only begun stays open
            is_page = b"<html" in content and "attachment" not in answer.headers.get("Content-Disposition", "")
            assert is_page != (case.route in NO_PAGES), case.route


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_is_for_everybody(page: Page, rows: dict[str, int], address: str) -> None:
    page.goto(address.format(**rows))
    assert faults(page) == []


@pytest.mark.parametrize(
    "address",
    [
        "/benchmarks/{failed}/",
        "/benchmarks/{running}/",
        "/benchmarks/{queued}/",
        "/benchmarks/{incompatible}/",
        "/models/{invalid}/",
        "/alchemy/?b={benchmark}&b={other}",
        "/models/?q=nothing",
        "/matrix/?show=change",
        "/nothing/",
    ],
)
def test_so_is_every_state_of_a_page(page: Page, rows: dict[str, int], address: str) -> None:
    page.goto(address.format(**rows))
    assert faults(page) == []


@pytest.mark.parametrize("address", EMPTY)
def test_so_is_every_page_without_anything_on_it(page: Page, address: str) -> None:
    page.goto(address)
    assert faults(page) == []


def test_so_is_the_page_for_those_who_may_not(visitor: Page, live_server: LiveServer) -> None:
    sign_in(visitor, live_server, Role.VIEWER)
    visitor.goto("/audit/")
    assert faults(visitor) == []


def test_so_is_a_new_token(page: Page) -> None:
    page.goto("/account/")
    page.get_by_label("Name", exact=True).fill("nightly")
    page.get_by_role("button", name="Make a token").click()
    page.locator("#secret").wait_for()
    assert faults(page) == []


def test_so_are_signing_in_being_wrong_and_being_locked_out(visitor: Page, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    visitor.goto("/")
    assert faults(visitor) == []
    for _ in range(2):
        visitor.get_by_label("User name").fill("ilse")
        visitor.get_by_label("Password").fill("wrong")
        visitor.get_by_role("button", name="Sign in").click()
        visitor.wait_for_load_state()
        assert faults(visitor) == []
    assert "Try again after" in visitor.content()
