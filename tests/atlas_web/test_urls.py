"""Who may open what."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from atlas.access import Role
from storage import records
from storage.objects import open_store
from tests import stage
from tests.atlas_web.explaining import explain
from tests.samples import NOON

OPEN = {"login/", "healthz"}
SIGNED_IN = {
    "": "/",
    "models/": "/models/",
    "models/<int:pk>/": "/models/{model}/",
    "benchmarks/": "/benchmarks/",
    "benchmarks/<int:pk>/": "/benchmarks/{benchmark}/",
    "benchmarks/<int:pk>/explanation/": "/benchmarks/{benchmark}/explanation/",
    "benchmarks/<int:pk>/explanation/<slug:name>/": "/benchmarks/{explained}/explanation/importance/",
    "benchmarks/<int:pk>/explanation/<slug:name>.<slug:kind>": "/benchmarks/{explained}/explanation/importance.svg",
    "benchmarks/<int:pk>/explanation/values.csv": "/benchmarks/{explained}/explanation/values.csv",
    "benchmarks/<int:pk>/events/": "/benchmarks/{explained}/events/",
    "benchmarks/<int:pk>/events/<path:name>/": "/benchmarks/{explained}/events/event-0000/",
    "benchmarks/<int:pk>/signals/<path:name>/": "/benchmarks/{explained}/signals/event-0000/",
    "datasets/": "/datasets/",
    "datasets/<str:name>/": "/datasets/impacts/",
    "models/<int:pk>/file/": "/models/{model}/file/",
    "matrix/": "/matrix/",
    "leaderboard/": "/leaderboard/",
    "logs/": "/logs/",
    "logs/tail/": "/logs/tail/",
    "logs/lines.<slug:kind>": "/logs/lines.csv",
    "administration/": "/administration/",
    "administration/queue/": "/administration/queue/",
    "administration/orphans/": "/administration/orphans/",
}
"""The pages, each with an address that exists."""
BUTTONS = {
    "benchmarks/<int:pk>/cancel/": "/benchmarks/{benchmark}/cancel/",
    "benchmarks/<int:pk>/again/": "/benchmarks/{benchmark}/again/",
}
"""What only a button does."""
DELETION_PAGES = {
    "models/<int:pk>/delete/": "/models/{model}/delete/",
    "benchmarks/<int:pk>/delete/": "/benchmarks/{benchmark}/delete/",
}
"""Pages for those who may delete."""
RIGHTS_BUTTONS = {
    "models/<int:pk>/again/": ("/models/{model}/again/", Role.DATA_SCIENTIST),
    "models/change/": ("/models/change/", Role.ADMINISTRATOR),
    "benchmarks/change/": ("/benchmarks/change/", Role.ADMINISTRATOR),
    "administration/queue/change/": ("/administration/queue/change/", Role.ADMINISTRATOR),
    "administration/orphans/clean-up/": ("/administration/orphans/clean-up/", Role.ADMINISTRATOR),
}
"""What only a button does, and the least role that has it."""
STAFF_BUTTONS = {"queue/pause/": "/queue/pause/", "queue/resume/": "/queue/resume/"}
"""What only a button does that staff have."""
OTHERS = {"logout/", "admin/", "api/v1/", "benchmarks/<int:pk>/predictions/"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys() -> dict[str, int]:
    model = stage.add_model()
    open_store(str(settings.ATLAS_OBJECT_STORE)).put("models/Forest-1.0.0-1.atlas", b"a bundle")
    records.log("engine", "Done.", now=NOON)
    benchmark = stage.finish(model, stage.add_version())
    return {"model": model, "benchmark": benchmark, "explained": explain(version=2, model="Linear-1.0.0-1")}


def test_every_address_is_in_one_of_these_tables() -> None:
    patterns: list[URLPattern | URLResolver] = get_resolver("atlas_web.urls").url_patterns
    assert {str(pattern.pattern) for pattern in patterns} == (
        OPEN
        | SIGNED_IN.keys()
        | BUTTONS.keys()
        | DELETION_PAGES.keys()
        | RIGHTS_BUTTONS.keys()
        | STAFF_BUTTONS.keys()
        | OTHERS
    )


@pytest.mark.parametrize("address", SIGNED_IN.values())
def test_a_page_is_for_those_who_are_signed_in(client: Client, keys: dict[str, int], address: str) -> None:
    found = address.format(**keys)
    answer = client.get(found)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login/?next={found}")
    client.force_login(User.objects.create_user("ilse"))
    assert client.get(found).status_code == 200


@pytest.mark.parametrize("address", BUTTONS.values())
def test_a_button_is_for_those_who_are_signed_in_and_no_link_presses_it(
    client: Client, keys: dict[str, int], address: str
) -> None:
    found = address.format(**keys)
    assert client.post(found).headers["Location"] == f"/login/?next={found}"
    client.force_login(User.objects.create_user("ilse"))
    assert client.get(found).status_code == 405
    assert client.post(found).headers["Location"] == f"/benchmarks/{keys['benchmark']}/"


def person(role: Role) -> User:
    found = User.objects.create_user(role.replace(" ", "-"))
    found.groups.add(Group.objects.get_or_create(name=role)[0])
    return found


@pytest.mark.parametrize("address", DELETION_PAGES.values())
def test_what_will_go_is_shown_to_those_who_may_delete(client: Client, keys: dict[str, int], address: str) -> None:
    found = address.format(**keys)
    assert client.post(found).headers["Location"] == f"/login/?next={found}"
    client.force_login(person(Role.VIEWER))
    assert (client.get(found).status_code, client.post(found).status_code) == (403, 403)
    client.force_login(person(Role.DATA_SCIENTIST))
    assert client.get(found).status_code == 200
    assert client.post(found).status_code == 302


@pytest.mark.parametrize(("address", "least"), RIGHTS_BUTTONS.values())
def test_a_button_is_for_those_who_have_the_right_to_it(
    client: Client, keys: dict[str, int], address: str, least: Role
) -> None:
    found = address.format(**keys)
    assert client.post(found).headers["Location"] == f"/login/?next={found}"
    for role in Role:
        client.force_login(person(role))
        may = least.rights <= role.rights
        assert client.post(found).status_code == (302 if may else 403)
        assert client.get(found).status_code == (405 if may else 403)


@pytest.mark.parametrize("address", STAFF_BUTTONS.values())
def test_a_button_of_staff_is_for_staff_and_no_link_presses_it(client: Client, address: str) -> None:
    assert client.post(address).headers["Location"] == f"/login/?next={address}"
    client.force_login(User.objects.create_user("ilse"))
    assert client.post(address).status_code == 403
    client.force_login(User.objects.create_user("root", is_staff=True))
    assert client.get(address).status_code == 405
    assert client.post(address, {"page": "benchmarks"}).headers["Location"] == "/benchmarks/"
    assert client.post(address, {"page": "https://example.org"}).headers["Location"] == "/"


@pytest.mark.parametrize(
    "address", ["/models/99/", "/benchmarks/99/", "/datasets/nothing/", "/datasets/impacts/?version=9"]
)
def test_what_does_not_exist_is_not_found(client: Client, keys: dict[str, int], address: str) -> None:
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("ilse"))
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", sorted(OPEN))
def test_signing_in_and_the_health_check_are_open(client: Client, address: str) -> None:
    assert client.get(f"/{address}").status_code == 200


def test_the_tables_are_for_staff(client: Client) -> None:
    client.force_login(User.objects.create_user("ilse"))
    assert client.get("/admin/").status_code == 302
    assert "/admin/" not in client.get("/administration/").content.decode()
    client.force_login(User.objects.create_user("root", is_staff=True))
    assert client.get("/admin/").status_code == 200
    assert "/admin/" in client.get("/administration/").content.decode()


def test_every_page_forbids_scripts_of_others(client: Client) -> None:
    policy = client.get("/login/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
