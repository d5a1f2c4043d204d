"""The engine's API keeps to its OpenAPI document, whatever is sent to it."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from atlas.access import Role
from tests.ingestion_engine.engine import Api, token_of_a

EXAMPLES = 15
DOCUMENT = Path(__file__).parents[2] / "docs/reference/ingestion-openapi.json"
ACCEPTED = ["2xx", "404", "409", "413", "416", "422"]
"""How a request may end that is right by its document: a query, a name or a file may be one that the engine cannot
use."""

pytestmark = [pytest.mark.django_db, pytest.mark.system]
CHECKS = {
    "positive_data_acceptance": {"expected-statuses": ACCEPTED},
    "negative_data_rejection": {"enabled": False},  # documents take what can be read as a number or a truth value
}


def engine(environ: dict[str, Any], start_response: Any) -> Any:
    """The engine with the settings that the test has, which are not known yet when this module is read."""
    return get_wsgi_application()(environ, start_response)


schema = schemathesis.openapi.from_path(
    DOCUMENT,
    config=SchemathesisConfig.from_dict({"checks": CHECKS}),
)
schema.app = engine


@pytest.fixture
def signed_in(api: Api) -> dict[str, str]:
    """The headers of a data scientist, where there are a recording and a tag with a version."""
    api.send("monday", "id,label,speed\na,dent,3\nb,none,4.5\n")
    api.tag("all")
    return {"Authorization": f"Bearer {token_of_a(Role.DATA_SCIENTIST)}"}


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_to_its_document(case: schemathesis.Case[Any], signed_in: dict[str, str]) -> None:
    case.call_and_validate(headers=signed_in)
