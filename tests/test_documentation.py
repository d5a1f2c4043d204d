"""What a user can set, see or call is documented, and the documents' links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, get_resolver

from atlas.connection import ClientSettings
from atlas.ingestion import IngestionSettings
from atlas.logs import LogSettings
from atlas.settings import Settings
from atlas.tracing import TraceSettings
from atlas.variables import KNOWN
from atlas_web.environment import Directory, Environment
from atlas_web.preparing.settings import PreparationSettings
from atlas_web.serving_settings import ServingSettings
from benchmark_engine.delivery_settings import DeliverySettings
from benchmark_engine.node_settings import NodeSettings
from benchmark_engine.settings import EngineSettings
from benchmark_engine.watched import WatchSettings
from demo.settings import DemoSettings
from ingestion_engine.settings import IngestionEnvironment
from storage.retention import RetentionSettings

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SETTINGS: list[type[Settings]] = [
    ClientSettings,
    Environment,
    Directory,
    NodeSettings,
    EngineSettings,
    ServingSettings,
    DeliverySettings,
    IngestionEnvironment,
    DemoSettings,
    IngestionSettings,
    LogSettings,
    WatchSettings,
    TraceSettings,
    PreparationSettings,
    RetentionSettings,
]


def variables() -> set[str]:
    return {owner.variable(name) for owner in SETTINGS for name in owner.model_fields}


def test_each_setting_is_documented_and_no_other_is() -> None:
    documented = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/reference/settings.md").read_text(), re.MULTILINE))
    assert documented == variables()


def test_each_setting_is_known_where_misspelt_ones_are_looked_for() -> None:
    assert variables() == KNOWN


def test_every_class_of_settings_is_looked_at() -> None:
    ours = {known for known in Settings.__subclasses__() if not known.__module__.startswith("tests.")}
    assert ours <= set(SETTINGS)


def pages() -> Iterator[str]:
    """The addresses of the dashboard's own pages."""
    for pattern in get_resolver("atlas_web.urls").url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"/{re.sub('<.*?>', '…', str(pattern.pattern))}"


def test_each_page_is_documented() -> None:
    documented = set(re.findall(r"^\| `(/[^`]*)`", (ROOT / "docs/reference/pages.md").read_text(), re.MULTILINE))
    assert documented == set(pages())


def test_the_sites_menu_leads_to_each_document() -> None:
    menu = set(re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    documents = {str(path.relative_to(ROOT)).removeprefix("docs/") for path in DOCUMENTS} - {"README.md"}
    assert menu == documents


def test_nested_lists_are_indented_as_the_site_wants_it() -> None:
    prose = {path: re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL) for path in DOCUMENTS}
    assert [path.name for path, text in prose.items() if re.search(r"^ {1,3}([-*]|\d+\.) ", text, re.MULTILINE)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_within_the_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]*)(?:#[^)]*)?\)", document.read_text())
    missing = [target for target in targets if target and not (document.parent / target).exists()]
    assert missing == []
