"""Who may do what: a table of roles and routes, in access.txt, in which no route may be missing."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from atlas.access import Right, Role
from storage import queries, records
from tests import stage
from tests.atlas_web.routes import Case, cases, keys, routes
from ui.access import rights_of, rights_of_token, role_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def person(role: Role, name: str = "ilse") -> User:
    user = User.objects.create_user(name, password="correct horse")
    records.set_role(user.pk, role)
    return user


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_everybody_gets_what_the_table_says(client: Client, case: Case) -> None:
    address = case.address.format(**keys(case.address))
    if case.role:
        client.force_login(person(case.role))
    answer = client.generic(case.method, address)
    list(answer)  # a file that is only begun would stay open
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
