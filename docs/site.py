"""What MkDocs asks for when it builds the site: documents and code that lie outside docs/ become a part of it.

A document's links are written for those who read it in the repository. Here they are turned to where the site has it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
ABOUT = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
"""The documents of the repository's root that are pages of the site; the home page stands for the README."""
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the root, and each file of code that a page links to."""
    for name in ABOUT:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    for path in sorted(set(_linked_code(files))):
        files.append(File.generated(config, site_path(path), content=(ROOT / path).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page's text with its links turned to where the site has their targets."""
    folder = PurePosixPath(page.file.src_uri).parent
    if page.is_homepage:
        page.meta["hide"] = ["navigation"]
    return LINK.sub(lambda match: os.path.relpath(site_path(_target(page.file, match[1])), folder), markdown)


def site_path(path: str) -> str:
    """Where the site has a file of the repository; code is shown as text."""
    if path == "README.md":
        return "index.md"
    if path in ABOUT:
        return path
    return path.removeprefix("docs/") if path.startswith("docs/") else f"source/{path}.txt"


def _linked_code(files: Files) -> Iterator[str]:
    for file in files.documentation_pages():
        for link in LINK.findall(file.content_string):
            path = _target(file, link)
            if site_path(path).startswith("source/"):
                yield path


def _target(file: File, link: str) -> str:
    """The path in the repository of what a page links to."""
    return os.path.normpath(Path(os.path.relpath(file.abs_src_path or "", ROOT)).parent / link)
