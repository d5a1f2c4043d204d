"""Who may do what: a table of roles and routes, in access.txt, in which no route may be missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from atlas.access import Right, Role
from atlas_web.access import rights_of, rights_of_token, role_of
from storage import queries, records
from storage.models import ApiToken
from tests import stage
from tests.atlas_web.explaining import explain

TABLE = Path(__file__).parent / "access.txt"
WHO = (None, Role.VIEWER, Role.DATA_SCIENTIST, Role.ADMINISTRATOR)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@dataclass(frozen=True)
class Case:
    """What one kind of person gets when they send one method to one route."""

    route: str
    method: str
    address: str
    role: Role | None
    status: int

    def __str__(self) -> str:
        return f"{self.role or 'nobody'} {self.method} {self.address} {self.status}"


def cases() -> Iterator[Case]:
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            route, method, address, *statuses = line.split()
            for role, status in zip(WHO, statuses, strict=True):
                yield Case(route, method, address, role, int(status))


def routes() -> set[str]:
    """The names of all routes; of those below an include the name space alone."""
    patterns: list[Any] = get_resolver("atlas_web.urls").url_patterns
    return {f"{each.namespace}:" if isinstance(each, URLResolver) else str(each.name) for each in patterns}


def person(role: Role, name: str = "ilse") -> User:
    user = User.objects.create_user(name, password="correct horse")
    records.set_role(user.pk, role)
    return user


def keys(address: str) -> dict[str, int]:
    """The keys of rows that an address speaks of."""
    if "{explained}" in address:
        return {"explained": explain(version=2, model="Linear-1.0.0-1")}
    model = stage.add_model()
    benchmark = stage.finish(model, stage.add_version())
    owner = User.objects.create_user("jan")
    records.create_token(owner.pk, "nightly", [Right.READ], expires=None, now=timezone.now())
    return {"model": model, "benchmark": benchmark, "token": ApiToken.objects.get().pk}


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_everybody_gets_what_the_table_says(client: Client, case: Case) -> None:
    address = case.address.format(**keys(case.address))
    if case.role:
        client.force_login(person(case.role))
    answer = client.generic(case.method, address)
    assert answer.status_code == case.status
    if case.role is None and case.status == 302 and case.route not in {"logout", "admin:"}:
        assert answer.headers["Location"] == f"/login/?next={address}"


def test_no_route_is_missing_from_the_table() -> None:
    assert {case.route for case in cases()} == routes()


def test_a_role_gives_its_rights() -> None:
    for role in Role:
        user = person(role, role.value)
        assert (role_of(user), rights_of(user)) == (role, role.rights)


def test_who_is_in_no_group_is_a_viewer_and_a_superuser_an_administrator() -> None:
    assert role_of(User.objects.create_user("ilse")) is Role.VIEWER
    assert role_of(User.objects.create_superuser("root")) is Role.ADMINISTRATOR


def test_a_closed_account_has_no_rights() -> None:
    assert rights_of(User.objects.create_superuser("root", is_active=False)) == frozenset()


def test_of_several_groups_the_highest_role_counts() -> None:
    user = User.objects.create_user("ilse")
    user.groups.set(Group.objects.all())
    assert role_of(user) is Role.ADMINISTRATOR


def test_a_token_gives_no_more_than_its_owner_may_do() -> None:
    scopes = [Right.READ, Right.WRITE, Right.ADMINISTER]
    assert rights_of_token(person(Role.VIEWER), scopes) == {Right.READ}
    assert rights_of_token(person(Role.DATA_SCIENTIST, "jan"), scopes) == {Right.READ, Right.WRITE}
    assert rights_of_token(User.objects.create_user("eva", is_active=False), scopes) == set()


def test_who_is_refused_learns_which_right_is_missing_and_whom_to_ask(client: Client) -> None:
    User.objects.create_superuser("root", first_name="Rita", last_name="Root")
    client.force_login(person(Role.VIEWER))
    page = client.post("/queue/pause/").content.decode()
    assert "This needs the right to administer, which your account does not have." in page
    assert "An administrator can give it to you: Rita Root." in page


def test_buttons_are_shown_to_those_who_may_press_them(client: Client) -> None:
    benchmark = stage.finish(stage.add_model(), stage.add_version())
    shown = {}
    for role in Role:
        client.force_login(person(role, role.value))
        shown[role] = "Run again" in client.get(f"/benchmarks/{benchmark}/").content.decode()
    assert shown == {Role.VIEWER: False, Role.DATA_SCIENTIST: True, Role.ADMINISTRATOR: True}


def test_what_a_person_does_to_a_benchmark_is_kept(client: Client) -> None:
    benchmark = stage.queue(stage.add_model(), stage.add_version())
    client.force_login(person(Role.DATA_SCIENTIST))
    client.post(f"/benchmarks/{benchmark}/cancel/")
    client.post(f"/benchmarks/{benchmark}/again/")
    client.post(f"/benchmarks/{benchmark}/again/")  # it waits already, so nothing is done
    kept = [str(action) for action in queries.actions()]
    assert kept == [
        "ilse ran again benchmark Forest-1.0.0-1 on impacts v1",
        "ilse cancelled benchmark Forest-1.0.0-1 on impacts v1",
    ]
