"""Whoever guesses passwords has to wait, and the audit log tells of it."""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from atlas_web.lockout import address_of
from storage import queries

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIMIT = 3


@pytest.fixture(autouse=True)
def limit(settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = LIMIT


@pytest.fixture(autouse=True)
def ilse() -> User:
    return User.objects.create_user("ilse", password="correct horse")


def sign_in(password: str = "correct horse", *, name: str = "ilse", address: str = "10.0.0.1") -> tuple[int, str]:
    fields = {"username": name, "password": password}
    answer = Client().post("/login/", fields, REMOTE_ADDR=address)
    return answer.status_code, answer.content.decode()


def guess(times: int = LIMIT, **where: str) -> list[int]:
    return [sign_in("wrong", **where)[0] for _ in range(times)]


def test_after_so_many_failures_even_the_right_password_has_to_wait() -> None:
    assert guess() == [200, 200, 429]
    status, page = sign_in()
    assert status == 429
    assert f"After {LIMIT} failures" in page
    assert "Try again after" in page
    assert "An administrator can let you in sooner" in page


def test_the_page_names_the_time_when_the_wait_is_over(settings: Settings) -> None:
    guess()
    until = AccessAttempt.objects.get().attempt_time + settings.AXES_COOLOFF_TIME
    assert f"{until:%Y-%m-%d %H:%M} UTC" in sign_in()[1]


def test_other_names_and_other_addresses_do_not_wait() -> None:
    User.objects.create_user("jan", password="correct horse")
    guess()
    assert sign_in(name="jan")[0] == 302
    assert sign_in(address="10.0.0.2")[0] == 302


def test_the_same_name_in_other_letters_waits_too() -> None:
    guess(LIMIT - 1)
    assert guess(1, name=" ILSE") == [429]


def test_the_wait_ends_by_itself_however_often_somebody_tries_meanwhile(settings: Settings) -> None:
    guess()
    before = AccessAttempt.objects.get().attempt_time
    guess()
    assert AccessAttempt.objects.get().attempt_time == before
    AccessAttempt.objects.update(attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME)
    assert sign_in()[0] == 302


def test_signing_in_forgets_the_failures_before() -> None:
    guess(LIMIT - 1)
    assert sign_in()[0] == 302
    assert guess(LIMIT - 1) == [200, 200]


def test_an_administrator_ends_the_wait(client: Client) -> None:
    guess()
    client.force_login(User.objects.create_superuser("root"))
    attempt = AccessAttempt.objects.get()
    assert client.get("/admin/axes/accessattempt/").status_code == 200
    assert client.post(f"/admin/axes/accessattempt/{attempt.pk}/delete/", {"post": "yes"}).status_code == 302
    assert sign_in()[0] == 302


def test_no_password_is_kept_with_a_failure() -> None:
    sign_in("a secret of mine")
    kept = AccessAttempt.objects.values().get()
    assert "a secret of mine" not in str(kept)
    assert "a+secret+of+mine" not in str(kept)


def test_the_audit_log_keeps_failures_the_lock_out_and_sign_ins_but_not_what_comes_while_one_waits() -> None:
    guess(LIMIT + 2)
    sign_in(address="10.0.0.2")
    refused = "ilse was refused sign-in 10.0.0.1"
    kept = [(str(action), action.detail) for action in queries.actions()]
    assert kept == [
        ("ilse signed in sign-in 10.0.0.2", ""),
        (refused, f"wrong user name or password; locked out for 15 minutes after {LIMIT} failures"),
        *[(refused, "wrong user name or password")] * (LIMIT - 1),
    ]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "1.1.1.1", "10.0.0.9"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "9.9.9.9, 1.1.1.1", "1.1.1.1"),
        (2, "9.9.9.9, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "10.0.0.9"),
        (1, "", "10.0.0.9"),
    ],
)
def test_only_proxies_that_are_trusted_say_where_a_request_came_from(
    settings: Settings, proxies: int, forwarded: str, expected: str
) -> None:
    settings.ATLAS_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": forwarded})
    assert address_of(request) == expected
