"""Takes the pictures in docs/images of the demo's dashboard: `make demo`, and beside it `make pictures URL=...`.

Each is 1280 pixels wide and has no more than 256 colours, so that the repository stays small.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from atlas_web.environment import Environment
from tests.servers import chromium

IMAGES = Path(__file__).parent / "images"
COLOURS = 256
HEIGHT = 860


@dataclass(frozen=True)
class Picture:
    """The name of a file, the way from the home page to what it shows, and how much of the page it shows."""

    name: str
    way: Callable[[Page], None]
    height: int = HEIGHT


def main() -> int:
    """Take all pictures of the dashboard at the first argument, or those that the others name."""
    url, *names = sys.argv[1:]
    password = (Environment.from_environment().data_dir / "demo-password").read_text().strip()
    with chromium() as browser:
        page = browser.new_page(base_url=url, color_scheme="light")
        page.goto("/login/")
        page.get_by_label("User name").fill("demo")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        for picture in PICTURES:
            if picture.name in (names or [picture.name]):
                _take(page, picture)
    return 0


def _take(page: Page, picture: Picture) -> None:
    page.set_viewport_size({"width": 1280, "height": picture.height})
    for remembered in ("/models/", "/benchmarks/", "/alerts/"):
        page.goto(f"{remembered}?clear=")
    page.goto("/")
    page.wait_for_load_state("networkidle")
    picture.way(page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)  # what moves has come to rest
    image = Image.open(BytesIO(page.screenshot())).convert("RGB")
    few = image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(IMAGES / f"{picture.name}.png", optimize=True)


def _menu(page: Page, entry: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=entry, exact=True).click()
    page.wait_for_load_state("networkidle")


def _home(page: Page) -> None:
    """Where one is after signing in."""


def _upload(page: Page) -> None:
    _menu(page, "Models")
    page.get_by_role("link", name="Send a model").first.click()


def _model(page: Page) -> None:
    page.get_by_role("region", name="Latest models").locator("tbody a").first.click()


def _benchmark(page: Page) -> None:
    page.get_by_role("region", name="Latest benchmarks").locator("tbody a").first.click()


def _delete(page: Page) -> None:
    _model(page)
    page.locator("#main").get_by_role("link", name="Delete").click()


def _tables(page: Page) -> None:
    _menu(page, "Administration")
    page.get_by_role("link", name="Tables").click()


def _filter(page: Page) -> None:
    _menu(page, "Models")
    page.get_by_label("Use case", exact=True).select_option("tumour diagnosis")
    page.wait_for_load_state("networkidle")
    for order in ("score", "-score"):
        page.get_by_role("columnheader", name="Score").get_by_role("link").click()
        page.wait_for_url(f"**sort={order}*")


def _compare(page: Page) -> None:
    _menu(page, "Benchmarks")
    for box in page.get_by_role("checkbox", name="on digits v2").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("Comparing the events").wait_for(state="hidden")


def _by_dataset(page: Page) -> None:
    _menu(page, "Matrix")
    page.get_by_label("Dataset tag", exact=True).select_option("breast-cancer")


def _explanation(page: Page) -> None:
    _benchmark(page)
    page.get_by_role("link", name="Explanation", exact=True).click()


def _dataset(page: Page) -> None:
    _menu(page, "Datasets")
    page.get_by_role("link", name="wine", exact=True).click()


def _alerts(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Alerts").click()


PICTURES = [
    Picture("home", _home),
    Picture("upload", _upload),
    Picture("delete", _delete, height=620),
    Picture("tables", _tables),
    Picture("filter", _filter, height=620),
    Picture("compare", _compare),
    Picture("by-dataset", _by_dataset, height=620),
    Picture("model", _model),
    Picture("why", _explanation),
    Picture("dataset", _dataset),
    Picture("alerts", _alerts, height=620),
    Picture("logs", lambda page: _menu(page, "Logs")),
    Picture("benchmark", _benchmark, height=1000),
]


if __name__ == "__main__":
    sys.exit(main())
