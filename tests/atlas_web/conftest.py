"""A person who is signed in and reads pages."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from itertools import count, islice

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from atlas.access import Role
from storage import records
from tests import stage


@dataclass(frozen=True)
class Shown:
    """A page as the server sent it, and the words on it."""

    status: int
    html: str

    @property
    def text(self) -> str:
        """What one reads between the page's head and foot, with plain dashes and spaces."""
        main = re.split(r"<main[^>]*>", self.html)[-1]
        words = re.sub(r"<script.*?</script>|<[^>]+>", " ", re.sub(r"</?time[^>]*>", "", main), flags=re.DOTALL)
        return " ".join(unescape(words).replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-").split())

    def rows(self) -> list[str]:
        """The words of each row of the tables."""
        bodies = "".join(re.findall(r"<tbody>(.*?)</tbody>", self.html, re.DOTALL))
        return [Shown(200, row).text for row in re.findall(r"<tr.*?</tr>", bodies, re.DOTALL)]


Read = Callable[..., Shown]
Count = Callable[[str], int]


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(User.objects.create_user("ilse", first_name="Ilse"))
    return client


@pytest.fixture
def writer(reader: Client) -> Client:
    """The same person as a data scientist, who may press buttons."""
    records.set_role(User.objects.get(username="ilse").pk, Role.DATA_SCIENTIST)
    return reader


@pytest.fixture
def read(reader: Client) -> Read:
    """Opens an address."""

    def opened(address: str, **headers: str) -> Shown:
        answer = reader.get(address, headers=headers)
        return Shown(answer.status_code, answer.getvalue().decode())

    return opened


@pytest.fixture
def queries_of(reader: Client) -> Count:
    """How many queries an address costs."""

    def counted(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert reader.get(address).status_code == 200
        return len(captured)

    return counted


@pytest.fixture
def fill() -> Callable[[int], None]:
    """Makes so many more models, each with a benchmark that is done, one that failed, and one that waits."""
    versions = [stage.add_version(number) for number in (1, 2, 3)]
    made = count()

    def filled(models: int) -> None:
        for number in islice(made, models):
            model = stage.add_model(f"Forest-1.0.0-{number}", tags=("impacts", "winter"))
            stage.finish(model, versions[0])
            stage.fail(model, versions[1], now=timezone.now())
            stage.queue(model, versions[2])
            stage.add_invalid_file(f"broken-{number}.atlas", "It is not a zip file.", arrived=timezone.now())
            records.log("engine", "done", now=timezone.now(), model=model)

    return filled
