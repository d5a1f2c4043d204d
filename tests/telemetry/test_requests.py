"""Ids and durations of requests."""

import logging
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from atlas import logs
from tests.measured import counting

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

GIVEN = "4f1c9d2e8b7a6053-edge"


def answered(client: Client, request_id: str) -> str:
    return str(client.get("/login/", headers={"X-Request-ID": request_id}).headers["X-Request-ID"])


def test_an_answer_has_the_id_that_the_proxy_gave(client: Client) -> None:
    assert answered(client, GIVEN) == GIVEN


@pytest.mark.parametrize(
    "request_id",
    ["", "short", "x" * 65, "<script>alert(1)</script>", "two words", "-starts-with-a-dash", "line\nbreak!"],
)
def test_what_does_not_look_like_an_id_is_replaced(client: Client, request_id: str) -> None:
    assert re.fullmatch("[0-9a-f]{16}", answered(client, request_id))


def test_what_is_logged_meanwhile_carries_the_id_and_what_comes_later_does_not(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(logs.Ids())
    client.force_login(User.objects.create_user("ilse"))
    client.get("/nowhere/", headers={"X-Request-ID": GIVEN})
    logging.getLogger("atlas").warning("Later.")
    during, later = caplog.records[0], caplog.records[-1]
    assert (during.getMessage(), during.__dict__["request_id"]) == ("Not Found: /nowhere/", GIVEN)
    assert "request_id" not in later.__dict__


@pytest.mark.parametrize(
    ("method", "address", "view", "label", "status"),
    [
        ("GET", "/login/", "login", "GET", "2xx"),
        ("GET", "/models/", "models", "GET", "3xx"),
        ("GET", "/nowhere/at/all", "none", "GET", "4xx"),
        ("BREW", "/nowhere/", "none", "other", "4xx"),
    ],
)
def test_requests_are_counted_by_method_view_and_class_of_status(
    client: Client, method: str, address: str, view: str, label: str, status: str
) -> None:
    of_view = {"method": label, "view": view}
    with (
        counting("atlas_http_requests_total", {"status": status, **of_view}),
        counting("atlas_http_request_seconds_count", of_view),
    ):
        client.generic(method, address)
