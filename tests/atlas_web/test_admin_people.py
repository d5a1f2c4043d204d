"""People and their roles in Django's admin, and what the audit log keeps of changes there."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from atlas.access import Role, Via
from storage import records
from storage.models import Action, Author, DatasetVersion
from tests import stage
from tests.samples import NOON
from ui.access import role_of

pytestmark = pytest.mark.django_db

LAST = "Nobody would be left to administer Atlas"


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def admin(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def person(name: str, role: Role = Role.VIEWER) -> User:
    user = User.objects.create_user(name)
    records.set_role(user.pk, role)
    return user


def form(name: str, role: Role, *, active: bool = True) -> dict[str, str]:
    fields = {"username": name, "role": role.value, "first_name": "", "last_name": "", "email": ""}
    return fields | ({"is_active": "on"} if active else {})


def role(name: str) -> Role | None:
    return role_of(User.objects.get(username=name))


def change(admin: Client, user: User, fields: dict[str, str]) -> str:
    answer = admin.post(f"/admin/auth/user/{user.pk}/change/", fields, follow=True)
    return answer.content.decode()


def last_action() -> tuple[str, str, str]:
    action = Action.objects.all()[0]
    return str(action), action.detail, action.via


def test_an_administrator_changes_a_person_s_role(admin: Client) -> None:
    jan = person("jan")
    change(admin, jan, form("jan", Role.DATA_SCIENTIST))
    assert role("jan") is Role.DATA_SCIENTIST
    assert last_action() == ("root changed user jan", "role: viewer → data scientist", Via.ADMIN)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("make_viewers", Role.VIEWER),
        ("make_data_scientists", Role.DATA_SCIENTIST),
        ("make_administrators", Role.ADMINISTRATOR),
    ],
)
def test_several_people_get_a_role_at_once(admin: Client, action: str, expected: Role) -> None:
    people = [person("jan"), person("eva", Role.DATA_SCIENTIST)]
    admin.post("/admin/auth/user/", {"action": action, "_selected_action": [user.pk for user in people]})
    assert (role("jan"), role("eva")) == (expected, expected)


def test_a_new_person_has_the_role_that_was_chosen(admin: Client) -> None:
    fields = {"username": "jan", "usable_password": "true", "role": "data scientist"}
    passwords = {"password1": "wrong battery staple", "password2": "wrong battery staple"}
    admin.post("/admin/auth/user/add/", fields | passwords)
    assert role("jan") is Role.DATA_SCIENTIST
    assert last_action()[0] == "root added user jan"
    assert "battery" not in str(list(Action.objects.values()))


def test_the_list_of_people_shows_their_roles(admin: Client) -> None:
    person("jan", Role.DATA_SCIENTIST)
    page = admin.get("/admin/auth/user/").content.decode()
    assert "Data scientist" in page
    assert "Administrator" in page


def test_a_member_of_the_group_administers_like_a_superuser(client: Client) -> None:
    client.force_login(person("eva", Role.ADMINISTRATOR))
    jan = person("jan")
    change(client, jan, form("jan", Role.DATA_SCIENTIST))
    assert role("jan") is Role.DATA_SCIENTIST
    assert client.get("/admin/storage/model/").status_code == 200


def test_the_last_administrator_cannot_step_down(admin: Client, root: User) -> None:
    assert LAST in change(admin, root, form("root", Role.VIEWER))
    assert role("root") is Role.ADMINISTRATOR


def test_the_last_administrator_s_account_cannot_be_closed(admin: Client, root: User) -> None:
    assert LAST in change(admin, root, form("root", Role.ADMINISTRATOR, active=False))
    assert User.objects.get(username="root").is_active


def test_the_last_administrators_cannot_be_deleted_nor_changed_all_at_once(admin: Client, root: User) -> None:
    eva = person("eva", Role.ADMINISTRATOR)
    chosen = {"_selected_action": [root.pk, eva.pk]}
    admin.post("/admin/auth/user/", {"action": "delete_selected", "post": "yes", **chosen})
    assert User.objects.count() == 2
    page = admin.post("/admin/auth/user/", {"action": "make_viewers", **chosen}, follow=True)
    assert LAST in page.content.decode()
    assert (role("root"), role("eva")) == (Role.ADMINISTRATOR, Role.ADMINISTRATOR)


def test_one_of_two_administrators_can_go(admin: Client, root: User) -> None:
    eva = person("eva", Role.ADMINISTRATOR)
    assert admin.post(f"/admin/auth/user/{eva.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="eva").exists()
    assert last_action()[0] == "root deleted user eva"


def test_an_administrator_whose_account_is_closed_does_not_count(admin: Client, root: User) -> None:
    User.objects.filter(pk=person("eva", Role.ADMINISTRATOR).pk).update(is_active=False)
    assert LAST in change(admin, root, form("root", Role.VIEWER))


def test_roles_are_listed_but_nobody_changes_what_they_are(admin: Client) -> None:
    page = admin.get("/admin/auth/group/")
    assert "data scientist" in page.content.decode()
    assert admin.get("/admin/auth/group/add/").status_code == 403


def test_a_change_of_a_table_is_kept_with_the_old_and_the_new_value(admin: Client) -> None:
    author = Author.objects.create(name="Ines", email="i@example.org")
    admin.post(f"/admin/storage/author/{author.pk}/change/", {"name": "Inês", "email": "i@example.org"})
    assert last_action() == ("root changed author Inês", "name: Ines → Inês", Via.ADMIN)


def test_a_change_of_what_a_row_refers_to_is_kept_in_names(admin: Client) -> None:
    stage.add_version(tag="winter")
    model = stage.add_model()
    fields = {"use_case": "damage detector", "granted_limits": "{}"}
    page = admin.get(f"/admin/storage/model/{model}/change/")
    initial = page.context["adminform"].form.initial
    tags = [tag.pk for tag in initial["tags"]]
    author = {"author": initial["author"]}
    winter = DatasetVersion.objects.get().tag.pk
    admin.post(f"/admin/storage/model/{model}/change/", fields | author | {"tags": [*tags, winter]})
    assert last_action()[1] == "tags: impacts → impacts, winter"


def test_deleting_several_rows_keeps_each(admin: Client) -> None:
    authors = [Author.objects.create(name=name, email=f"{name}@example.org") for name in ("ines", "jan")]
    chosen = {"action": "delete_selected", "post": "yes", "_selected_action": [author.pk for author in authors]}
    admin.post("/admin/storage/author/", chosen)
    assert {str(action) for action in Action.objects.all()} == {"root deleted author ines", "root deleted author jan"}


def test_nobody_changes_the_audit_log(admin: Client) -> None:
    person("jan")
    action = Action.objects.create(time=NOON, person="jan", via="page", verb="deleted", kind="model", thing="x")
    page = f"/admin/storage/action/{action.pk}"
    assert admin.get(f"{page}/change/").status_code == 200
    assert admin.post(f"{page}/change/", {"person": "eva"}).status_code == 403
    assert admin.post(f"{page}/delete/", {"post": "yes"}).status_code == 403


def test_the_sign_in_of_the_administration_is_that_of_atlas(client: Client, root: User) -> None:
    assert client.get("/admin/login/?next=/admin/auth/").headers["Location"] == "/login/?next=/admin/auth/"
    client.force_login(root)
    assert client.get("/admin/login/").headers["Location"] == "/admin/"
    assert client.get("/admin/password_change/").headers["Location"] == "/account/"
