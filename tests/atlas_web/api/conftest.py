"""Scripts that call the API, each with a token of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from atlas.access import Right, Role
from storage import records

ROOT = "/api/v1/"


@dataclass(frozen=True)
class Answer:
    """What the API answered; `document` is its JSON, if it is some."""

    status: int
    headers: Any
    content: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True)
class Script:
    """Calls operations with a token."""

    person: User
    secret: str

    def __call__(self, method: str, path: str, document: Any = None, /, **headers: str) -> Answer:
        """The answer to a request with a JSON document, or with bytes as they are."""
        is_raw = isinstance(document, bytes)
        body = document if is_raw else b"" if document is None else json.dumps(document).encode()
        kind = "application/octet-stream" if is_raw else "application/json"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = Client(raise_request_exception=False).generic(
            method, f"{ROOT}{path}", body, kind, headers={"Authorization": f"Bearer {self.secret}"} | named
        )
        content = b"".join(response) if response.streaming else response.content
        return Answer(response.status_code, response.headers, content)

    def get(self, path: str, **headers: str) -> Any:
        """The document that a GET answers, which has to succeed."""
        answer = self("GET", path, **headers)
        assert answer.status == 200, answer.content
        return answer.document


Scripts = Callable[..., Script]


@pytest.fixture
def script() -> Scripts:
    """Makes a script of a person of some role, whose token has all rights unless they are given."""

    def made(role: Role = Role.ADMINISTRATOR, *scopes: Right, name: str = "") -> Script:
        person = User.objects.create_user(name or role.value.replace(" ", "-"))
        person.groups.add(Group.objects.get_or_create(name=role.value)[0])
        secret = records.create_token(person.pk, "script", scopes or tuple(Right), expires=None, now=timezone.now())
        return Script(person, secret)

    return made


@pytest.fixture
def reading(script: Scripts) -> Script:
    """A viewer's script."""
    return script(Role.VIEWER)


@pytest.fixture
def writing(script: Scripts) -> Script:
    """A data scientist's script."""
    return script(Role.DATA_SCIENTIST)


@pytest.fixture
def administering(script: Scripts) -> Script:
    """An administrator's script."""
    return script(Role.ADMINISTRATOR)


@pytest.fixture
def queries_per_call(reading: Script) -> Callable[[str], int]:
    """How many queries a GET costs."""

    def counted(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            reading.get(path)
        return len(captured)

    return counted
