"""The OpenAPI document in docs/ is the one that the engine shows."""

import json
from pathlib import Path

from tests.ingestion_engine.engine import Api

DOCUMENT = Path(__file__).parents[2] / "docs/reference/ingestion-openapi.json"


def test_the_document_is_what_the_engine_says_of_itself(api: Api) -> None:
    """After a change of the API, `make openapi` writes it anew."""
    assert json.loads(DOCUMENT.read_text()) == api.get("openapi.json")


def test_every_operation_is_described(api: Api) -> None:
    for path, operations in api.get("openapi.json")["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"
            assert operation["tags"], f"{method} {path}"
