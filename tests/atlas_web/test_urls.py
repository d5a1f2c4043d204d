"""What addresses lead to, whoever opens them; test_access.py tells who may."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import stage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["/models/99/", "/benchmarks/99/", "/datasets/nothing/", "/datasets/impacts/?version=9"]
)
def test_what_does_not_exist_is_not_found(client: Client, address: str) -> None:
    stage.finish(stage.add_model(), stage.add_version())
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("ilse"))
    assert client.get(address).status_code == 404


def test_the_buttons_of_the_queue_lead_back_to_the_page_that_they_are_on_and_nowhere_else(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    for address in ("/queue/pause/", "/queue/resume/"):
        assert client.post(address, {"page": "benchmarks"}).headers["Location"] == "/benchmarks/"
        assert client.post(address, {"page": "https://example.org"}).headers["Location"] == "/"


def test_the_buttons_of_a_benchmark_lead_back_to_its_page(client: Client) -> None:
    benchmark = stage.queue(stage.add_model(), stage.add_version())
    client.force_login(User.objects.create_superuser("root"))
    for button in ("cancel", "again"):
        assert client.post(f"/benchmarks/{benchmark}/{button}/").headers["Location"] == f"/benchmarks/{benchmark}/"


def test_the_menu_has_the_audit_log_for_those_who_may_read_it(client: Client) -> None:
    client.force_login(User.objects.create_user("ilse"))
    assert "Audit log" not in client.get("/").content.decode()
    client.force_login(User.objects.create_superuser("root"))
    assert "Audit log" in client.get("/").content.decode()


def test_every_page_forbids_scripts_of_others(client: Client) -> None:
    policy = client.get("/login/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
