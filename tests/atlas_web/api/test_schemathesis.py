"""The API keeps to its OpenAPI document, whatever is sent to it."""

from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from atlas.access import Right, Via
from atlas_web.api import api
from storage import records
from storage.records import Wanted
from tests import alerts, living, stage
from tests.samples import NOON

EXAMPLES = 10
ACCEPTED = ["2xx", "401", "403", "404", "409", "413"]
"""How a request may end that is right by its document. Only the settings know how large a model may be: hence 413."""
DEPENDENT = [
    "/api/v1/leaderboard",
    "/api/v1/comparison",
    "/api/v1/models",
    "/api/v1/benchmarks",
    "/api/v1/models/{model}/predictions",
    "/api/v1/models/{model}/predictions/file",
    "/api/v1/gates/rules",
    "/api/v1/gates/rules/{rule}",
    "/api/v1/alert-rules",
    "/api/v1/alert-rules/{rule}",
    "/api/v1/channels",
    "/api/v1/channels/{channel}",
]
"""What no document can say is wrong: a use case has to be chosen where there are several, what is compared has to be
done, a search may be a query with a mistake in it, a rule is about what there is, which fields it has depends on its
kind, an address is one of its kind, and predictions are of one thing that is there. These may answer 422 too."""

pytestmark = [pytest.mark.django_db, pytest.mark.system]


def accepting(statuses: list[str]) -> dict[str, Any]:
    """The configuration by which right requests may end so."""
    return {"checks": {"positive_data_acceptance": {"expected-statuses": statuses}}}


CONFIG = {**accepting(ACCEPTED), "operations": [{"include-path": DEPENDENT, **accepting([*ACCEPTED, "422"])}]}
schema = schemathesis.openapi.from_dict(
    api.get_openapi_schema(path_prefix="/api/v1/"), config=SchemathesisConfig.from_dict(CONFIG)
)
schema.app = get_wsgi_application()


@pytest.fixture
def token() -> str:
    """An administrator's, where there is something of everything."""
    model = stage.add_model()
    stage.finish(model, stage.add_version(1))
    stage.queue(model, stage.add_version(2))
    stage.fail(model, stage.add_version(3))
    records.ask_inference(model, Wanted(recording="drive"), by="root", via=Via.API, now=NOON)
    records.log("engine", "done", now=NOON, model=model)
    living.week(model)
    alerts.add_all()
    root = User.objects.create_superuser("root")
    return records.create_token(root.pk, "script", Right, expires=None, now=NOON)


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_to_its_document(case: schemathesis.Case[Any], token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
