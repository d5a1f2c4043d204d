"""Who may call which operation: a table of roles and operations that none may be missing from."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from atlas.access import Right, Role
from atlas_web.api import api
from storage import records
from tests import stage
from tests.atlas_web.api.conftest import ROOT, Script, Scripts

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
NOBODY_S = UUID(int=1)
OPERATIONS = {
    "GET whoami": Right.READ,
    "GET models": Right.READ,
    "GET models/{model}": Right.READ,
    "GET models/{model}/file": Right.READ,
    "GET models/{model}/history": Right.READ,
    "GET models/{model}/report": Right.READ,
    "DELETE models/{model}": Right.DELETE,
    "GET models/{model}/live": Right.READ,
    "GET models/{model}/live/{tag}": Right.READ,
    "PUT models/{model}/live/{tag}": Right.WRITE,
    "DELETE models/{model}/live/{tag}": Right.WRITE,
    "GET models/{model}/gate": Right.READ,
    "POST models/{model}/stage": Right.WRITE,
    "GET use-cases/{use_case}/champion": Right.READ,
    "GET stages": Right.READ,
    "GET gates/rules": Right.READ,
    "POST gates/rules": Right.ADMINISTER,
    "PUT gates/rules/{rule}": Right.ADMINISTER,
    "DELETE gates/rules/{rule}": Right.ADMINISTER,
    "GET benchmarks": Right.READ,
    "GET benchmarks/{benchmark}": Right.READ,
    "POST benchmarks/{benchmark}/run-again": Right.WRITE,
    "POST benchmarks/{benchmark}/cancel": Right.WRITE,
    "POST benchmarks/{benchmark}/move-to-front": Right.ADMINISTER,
    "DELETE benchmarks/{benchmark}": Right.DELETE,
    "GET benchmarks/{benchmark}/predictions": Right.READ,
    "GET benchmarks/{benchmark}/drift": Right.READ,
    "GET benchmarks/{benchmark}/explanation": Right.READ,
    "GET benchmarks/{benchmark}/explanation/values": Right.READ,
    "GET benchmarks/{benchmark}/changes": Right.READ,
    "GET benchmarks/{benchmark}/log": Right.READ,
    "GET leaderboard": Right.READ,
    "GET matrix": Right.READ,
    "GET comparison": Right.READ,
    "GET tags": Right.READ,
    "GET tags/{tag}": Right.READ,
    "GET tags/{tag}/versions": Right.READ,
    "GET tags/{tag}/versions/{number}": Right.READ,
    "GET tags/{tag}/versions/{number}/drift": Right.READ,
    "GET alerts": Right.READ,
    "GET alerts/{alert}": Right.READ,
    "POST alerts/{alert}/acknowledge": Right.WRITE,
    "POST deliveries/{delivery}/send-again": Right.WRITE,
    "GET alert-rules": Right.READ,
    "POST alert-rules": Right.WRITE,
    "GET alert-rules/{rule}": Right.READ,
    "PUT alert-rules/{rule}": Right.WRITE,
    "DELETE alert-rules/{rule}": Right.WRITE,
    "GET channels": Right.READ,
    "POST channels": Right.ADMINISTER,
    "GET channels/{channel}": Right.ADMINISTER,
    "PUT channels/{channel}": Right.ADMINISTER,
    "DELETE channels/{channel}": Right.ADMINISTER,
    "POST channels/{channel}/test": Right.ADMINISTER,
    "GET queue": Right.READ,
    "POST queue/pause": Right.ADMINISTER,
    "POST queue/resume": Right.ADMINISTER,
    "GET components": Right.READ,
    "GET counters": Right.READ,
    "GET logs": Right.READ,
    "GET tokens": Right.READ,
    "DELETE tokens/{token}": Right.READ,
    "GET audit": Right.ADMINISTER,
    "GET orphans": Right.READ,
    "POST orphans/clean-up": Right.ADMINISTER,
    "POST bulk/run-again": Right.ADMINISTER,
    "POST bulk/cancel": Right.ADMINISTER,
    "POST bulk/delete": Right.ADMINISTER,
    "POST models/{model}/predictions": Right.WRITE,
    "POST models/{model}/predictions/file": Right.WRITE,
    "GET predictions": Right.READ,
    "GET predictions/{prediction}": Right.READ,
    "GET predictions/{prediction}/rows": Right.READ,
    "GET predictions/{prediction}/file": Right.READ,
    "POST predictions/{prediction}/cancel": Right.WRITE,
    "POST uploads": Right.WRITE,
    "GET uploads/{upload}": Right.WRITE,
    "PUT uploads/{upload}": Right.WRITE,
    "DELETE uploads/{upload}": Right.WRITE,
}
TABLE = [(role, operation) for role in Role for operation in OPERATIONS]


def declared() -> dict[str, Right]:
    """Each operation of the API with the right that it says it needs."""
    return {
        f"{method.upper()} {path.removeprefix(ROOT)}": Right(operation["x-right"])
        for path, operations in api.get_openapi_schema(path_prefix=ROOT)["paths"].items()
        for method, operation in operations.items()
    }


def address(operation: str, benchmark: int = 1) -> tuple[str, str]:
    """An operation's method, and a path that leads to something where that needs no more than rows."""
    method, path = operation.split(" ")
    known = {"model": "Forest-1.0.0-1", "benchmark": benchmark, "tag": "impacts", "number": 1, "token": 99}
    known |= {"alert": 99, "rule": 99, "channel": 99, "prediction": 1}
    return method, path.format(**known, upload=NOBODY_S, delivery=NOBODY_S, use_case="damage%20detector")


def test_every_operation_is_in_the_table() -> None:
    assert declared() == OPERATIONS


def test_every_operation_is_documented_with_its_right() -> None:
    text = (Path(__file__).parents[3] / "docs/reference/api.md").read_text()
    rows = re.findall(r"^\| `([A-Z]+ [^`]+)`.*? \| (\w+) \|", text, re.MULTILINE)
    assert {re.sub("{.*?}", "{}", operation): right for operation, right in rows} == {
        re.sub("{.*?}", "{}", operation): right.value for operation, right in declared().items()
    }


def test_every_operation_asks_both_kinds_of_callers_for_its_right() -> None:
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                rights = {scheme.right for scheme in operation.auth_callbacks}  # type: ignore[attr-defined]
                assert rights == {Right((operation.openapi_extra or {})["x-right"])}
                assert len(operation.auth_callbacks) == 2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_for_those_who_are_signed_in(client: Client, operation: str) -> None:
    method, path = address(operation)
    answer = client.generic(method, f"{ROOT}{path}")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Atlas"'


@pytest.mark.parametrize(("role", "operation"), TABLE, ids=lambda value: str(value))
def test_an_operation_is_for_those_who_have_the_right(script: Scripts, role: Role, operation: str) -> None:
    benchmark = stage.finish(stage.add_model(), stage.add_version())
    answer = script(role)(*address(operation, benchmark))
    if OPERATIONS[operation] in role.rights:
        assert answer.status not in (401, 403, 405, 500)
    else:
        assert answer.status == 403
        assert f"right to {OPERATIONS[operation]}" in answer.document["detail"]


@pytest.mark.parametrize("operation", [name for name, right in OPERATIONS.items() if right is not Right.READ])
def test_a_token_gives_no_more_than_its_scopes(script: Scripts, operation: str) -> None:
    answer = script(Role.ADMINISTRATOR, Right.READ)(*address(operation))
    assert answer.status == 403
    assert f"The token lacks the right to {OPERATIONS[operation]}" in answer.document["detail"]


@pytest.mark.parametrize("header", ["Bearer atlas_nonsense", "Bearer", "Basic aTpq", ""])
def test_a_header_without_a_good_token_is_refused_even_if_there_is_a_session(reader: Client, header: str) -> None:
    assert reader.get(f"{ROOT}whoami").status_code == 200
    assert reader.get(f"{ROOT}whoami", headers={"Authorization": header}).status_code == 401


def test_a_token_that_is_too_old_is_refused(reading: Script) -> None:
    now = timezone.now()
    secret = records.create_token(reading.person.pk, "old", [Right.READ], expires=now - timedelta(days=1), now=now)
    assert Script(reading.person, secret)("GET", "whoami").status == 401


def test_a_closed_account_is_refused(reading: Script) -> None:
    User.objects.filter(pk=reading.person.pk).update(is_active=False)
    assert reading("GET", "whoami").status == 401


def test_a_session_needs_the_page_s_token_to_change_something() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("root"))
    assert browser.get(f"{ROOT}whoami").status_code == 200
    refused = browser.post(f"{ROOT}queue/pause", b"{}", "application/json")
    assert refused.status_code == 403
    assert "X-CSRFToken" in refused.json()["detail"]
    browser.get("/models/")
    browser.cookies["csrftoken"] = "a" * 32
    sent = browser.post(f"{ROOT}queue/pause", b"{}", "application/json", headers={"X-CSRFToken": "a" * 32})
    assert sent.status_code == 200
    assert re.fullmatch("root", sent.json()["by"])
