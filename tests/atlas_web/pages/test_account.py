"""A person's own page."""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from atlas.access import Right, Role
from storage import queries, records
from storage.models import Action, ApiToken
from tests.atlas_web.conftest import Count, Read, Shown

pytestmark = pytest.mark.django_db

TOKEN = {"name": "nightly", "scopes": ["read"], "days": "90"}


def me() -> User:
    return User.objects.get(username="ilse")


def post(client: Client, address: str, fields: Mapping[str, object]) -> Shown:
    answer = client.post(address, fields)
    return Shown(answer.status_code, answer.content.decode())


def done() -> list[str]:
    return [str(action) for action in Action.objects.all()]


def test_it_says_who_one_is_and_what_one_may_do(read: Read, writer: Client) -> None:
    User.objects.update(email="ilse@example.org")
    page = read("/account/").text
    assert "ilse@example.org" in page
    assert "Data scientist" in page
    assert "Write: send models, run benchmarks again, cancel them" in page
    assert "Administer:" not in page


def test_the_menu_of_the_account_leads_there(read: Read) -> None:
    assert 'href="/account/">Account</a>' in read("/").html


def test_a_token_is_made_and_its_secret_shown_once(reader: Client, read: Read) -> None:
    made = post(reader, "/account/tokens/", TOKEN)
    secrets = set(re.findall(r"atlas_[\w-]{40,}", made.html))
    assert len(secrets) == 1
    found = queries.token_of(secrets.pop(), timezone.now())
    assert found is not None
    assert (found.owner, found.scopes) == (me(), ["read"])
    assert "Authorization: Bearer atlas_" in made.html
    assert "ATLAS_TOKEN=atlas_" in made.html
    assert not re.search(r"atlas_[\w-]{40,}", read("/account/").html)
    assert done() == ["ilse added token nightly"]


def test_the_page_with_the_secret_is_kept_by_no_browser(reader: Client) -> None:
    assert "no-store" in reader.post("/account/tokens/", TOKEN).headers["Cache-Control"]


@pytest.mark.parametrize(("days", "expected"), [("30", 30), ("90", 90), ("365", 365), ("", None)])
def test_a_token_expires_when_its_owner_says(reader: Client, days: str, expected: int | None) -> None:
    post(reader, "/account/tokens/", TOKEN | {"days": days})
    token = ApiToken.objects.get()
    assert token.expires == (token.created + timedelta(days=expected) if expected else None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Give the token a name"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"scopes": []}, "Choose at least one."),
        ({"scopes": ["read", "write"]}, "write is not one of the available choices"),
        ({"scopes": ["everything"]}, "everything is not one of the available choices"),
        ({"days": "10000"}, "10000 is not one of the available choices"),
    ],
)
def test_what_is_wrong_with_a_token_is_said_in_place(reader: Client, changes: dict[str, object], said: str) -> None:
    page = post(reader, "/account/tokens/", TOKEN | changes)
    assert page.status == 422
    assert said in page.text
    assert 'class="invalid-feedback' in page.html
    assert not ApiToken.objects.exists()


def test_a_name_that_is_taken_is_said_in_place(reader: Client) -> None:
    post(reader, "/account/tokens/", TOKEN)
    page = post(reader, "/account/tokens/", TOKEN)
    assert page.status == 422
    assert "You have a token named nightly already" in page.text
    assert 'value="nightly"' in page.html
    assert ApiToken.objects.count() == 1


def test_a_name_is_text_and_not_a_part_of_the_page(reader: Client, read: Read) -> None:
    post(reader, "/account/tokens/", TOKEN | {"name": "<b>mine</b>"})
    assert "&lt;b&gt;mine&lt;/b&gt;" in read("/account/").html
    assert "<b>mine</b>" not in read("/account/").html


def test_tokens_are_listed_with_their_use_and_their_end(reader: Client, read: Read) -> None:
    now = timezone.now()
    records.create_token(me().pk, "old", [Right.READ], expires=now - timedelta(days=1), now=now - timedelta(days=9))
    secret = records.create_token(me().pk, "busy", [Right.READ, Right.WRITE], expires=None, now=now)
    queries.token_of(secret, now)
    busy, old = read("/account/").rows()
    assert all(word in busy for word in ("busy", secret[:12], "read, write", "just now", "never"))
    assert all(word in old for word in ("old", "never", "Expired"))


def test_a_token_is_revoked(reader: Client, read: Read) -> None:
    post(reader, "/account/tokens/", TOKEN)
    reader.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert "The token nightly is revoked." in read("/account/").text
    assert not ApiToken.objects.exists()
    assert done()[0] == "ilse revoked token nightly"


def test_nobody_revokes_another_s_token(reader: Client) -> None:
    jan = User.objects.create_user("jan")
    records.create_token(jan.pk, "his", [Right.READ], expires=None, now=timezone.now())
    assert reader.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke/").status_code == 404
    assert ApiToken.objects.exists()


def test_a_new_password_takes_the_old_one_s_place_and_one_stays_signed_in(reader: Client, read: Read) -> None:
    change(reader, "correct horse", "wrong battery staple")
    assert "Your password is changed." in read("/account/").text
    assert me().check_password("wrong battery staple")
    assert done()[0] == "ilse changed password ilse"


def change(reader: Client, old: str, new: str, again: str = "") -> Shown:
    person = me()
    person.set_password("correct horse")
    person.save()
    reader.force_login(person)
    fields: dict[str, object] = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return post(reader, "/account/password/", fields)


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", "wrong battery staple", "", "old password was entered incorrectly"),
        ("correct horse", "short", "", "too short"),
        ("correct horse", "password", "", "too common"),
        ("correct horse", "wrong battery staple", "wrong battery", "match"),
    ],
)
def test_a_password_that_will_not_do_is_refused_in_place(
    reader: Client, old: str, new: str, again: str, said: str
) -> None:
    page = change(reader, old, new, again)
    assert page.status == 422
    assert said in page.text
    assert me().check_password("correct horse")


def test_who_has_no_local_password_is_sent_to_the_directory(reader: Client, read: Read) -> None:
    person = me()
    person.set_unusable_password()
    person.save()
    reader.force_login(person)
    assert "your organisation" in read("/account/").text
    assert reader.post("/account/password/").status_code == 404


def test_more_tokens_cost_no_more_queries(queries_of: Count) -> None:
    records.set_role(me().pk, Role.ADMINISTRATOR)
    records.create_token(me().pk, "0", [Right.READ], expires=None, now=timezone.now())
    before = queries_of("/account/")
    for number in range(1, 9):
        records.create_token(me().pk, str(number), [Right.READ], expires=None, now=timezone.now())
    assert queries_of("/account/") == before
