"""The OpenAPI document in docs/ is the one that the engine shows."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.ingestion_engine.engine import Api

DOCUMENT = Path(__file__).parents[2] / "docs/reference/ingestion-openapi.json"


@pytest.fixture
def said(api: Api) -> Any:
    """The document that the engine shows to those who are signed in."""
    api.client.force_login(User.objects.create_user("ilse"))
    return api.get("openapi.json")


def test_the_document_is_what_the_engine_says_of_itself(said: Any) -> None:
    """After a change of the API, `make openapi` writes it anew."""
    assert json.loads(DOCUMENT.read_text()) == said


def test_every_operation_is_described(said: Any) -> None:
    for path, operations in said["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"
            assert operation["tags"], f"{method} {path}"
