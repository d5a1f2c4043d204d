"""What somebody outside sees of Atlas behind its proxy: the sign-in page, static files and health."""

import ssl

import httpx
import pytest

from tests import scanning
from tests.compose.project import Project

pytestmark = pytest.mark.system(minutes=8)


@pytest.mark.parametrize("part", ["dashboard", "ingestion"])
def test_somebody_outside_finds_nothing_else(project: Project, part: str) -> None:
    trusted = ssl.create_default_context(cafile=str(project.authority))
    urls = {"dashboard": "atlas_web.urls", "ingestion": "ingestion_engine.urls"}
    with httpx.Client(base_url=getattr(project, part), verify=trusted, timeout=60) as http:
        assert scanning.scan(http, scanning.addresses(urls[part])) == []


def test_http_leads_to_https_whatever_host_is_asked_for(project: Project) -> None:
    answer = httpx.get(f"{project.plain}/models/", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{project.dashboard}/models/")
