"""The documentation as a site: built strictly, it has every document and loads nothing from elsewhere."""

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from tests.e2e.installation import ROOT

LOADED = re.compile(r'<(?:script|img|source|iframe)[^>]*\ssrc="([^"]+)|<link[^>]*rel="stylesheet"[^>]*href="([^"]+)')
"""The addresses that a browser fetches by itself."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it: a link that leads nowhere or a page that the menu lacks ends it."""
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return folder


def test_every_document_is_a_page(site: Path) -> None:
    documents = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert documents <= {path.relative_to(site) for path in site.rglob("*.html")}


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loaded = {found for page in site.rglob("*.html") for pair in LOADED.findall(page.read_text()) for found in pair}
    assert "assets/site.css" in loaded
    assert {address for address in loaded if address.startswith(("http", "//"))} == set()


def test_code_that_a_document_links_to_can_be_read_in_the_site(site: Path) -> None:
    assert 'href="../source/atlas/client.py.txt"' in (site / "reference/cli.html").read_text()
    assert (site / "source/atlas/client.py.txt").read_text() == (ROOT / "atlas/client.py").read_text()


def test_the_repositorys_own_pages_lead_into_the_site(site: Path) -> None:
    assert (site / "CONTRIBUTING.html").exists()
    assert 'href="explanation/regressions.html' in (site / "CHANGELOG.html").read_text()
