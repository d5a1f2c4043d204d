"""Somebody who uses Atlas from outside: through the proxy, by TLS, with nothing but an account and the authority's
certificate."""

import html
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from atlas.access import Right
from atlas.client import AtlasClient
from atlas.ingestion import IngestionClient
from tests.compose.project import Project

FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SECRET = re.compile(r'id="secret"[^>]*>([^<]+)<')


class Visitor:
    """A person with a browser: the session is kept in cookies, and forms are sent from the pages that they are on."""

    def __init__(self, project: Project) -> None:
        self.project = project
        trusted = ssl.create_default_context(cafile=str(project.authority))
        self._http = httpx.Client(base_url=project.dashboard, verify=trusted, timeout=60)

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        """Ask for a page; what comes, as it is, without following it elsewhere."""
        return self._http.get(path)

    def send(self, page: str, address: str, fields: dict[str, str | list[str]]) -> httpx.Response:
        """Open a page, fill in a form of it and send it to its address."""
        found = FORM_TOKEN.search(self.get(page).text)
        assert found, f"{page} has no form"
        whole = {"csrfmiddlewaretoken": found[1], **fields}
        return self._http.post(address, data=whole, headers={"Referer": self.project.dashboard + page})

    def sign_in(self) -> None:
        """Sign in as the first administrator, with the password that was made for them."""
        answer = self.send(
            "/login/", "/login/", {"username": "admin", "password": self.project.secret("admin-password")}
        )
        assert answer.status_code == httpx.codes.FOUND, answer.text

    def make_token(self, name: str) -> str:
        """The secret of a new token that is good for everything."""
        scopes = [right.value for right in Right]
        answer = self.send("/account/", "/account/tokens/", {"name": name, "scopes": scopes, "days": ""})
        found = SECRET.search(answer.text)
        assert found, answer.text
        return html.unescape(found[1])


class Scientist:
    """Somebody's scripts, which have a token. SSL_CERT_FILE names the authority that they trust."""

    def __init__(self, project: Project, token: str) -> None:
        self.project = project
        self.token = token
        self.atlas = AtlasClient(project.dashboard, token)
        self.ingestion = IngestionClient(project.ingestion, token=token)

    def __enter__(self) -> "Scientist":
        return self

    def __exit__(self, *_: object) -> None:
        self.atlas.close()
        self.ingestion.close()

    def command(self, *arguments: str | Path) -> str:
        """Run `atlas ARGUMENTS`; what it printed."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "ATLAS_URL": self.project.dashboard,
            "ATLAS_TOKEN": self.token,
            "SSL_CERT_FILE": str(self.project.authority),
        }
        command = [sys.executable, "-c", "from atlas.cli import main; main()", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self.project.report()}"
        return done.stdout


@contextmanager
def scientist(project: Project, name: str) -> Iterator[Scientist]:
    """Sign in as the administrator, make a token of this name, and work with it."""
    with Visitor(project) as visitor:
        visitor.sign_in()
        token = visitor.make_token(name)
    with Scientist(project, token) as made:
        yield made
