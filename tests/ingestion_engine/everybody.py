"""Whether everybody can use a page: by its colours, by its labels, and on a phone."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def check_that_everybody_can_use(page: Page) -> None:
    """Looks at the page that is open, in light and dark, and 390 pixels wide."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.reload()
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response["violations"]
        assert [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found] == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
