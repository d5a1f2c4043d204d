"""Tokens of scripts, and lists as people left them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from atlas.access import Right
from atlas.errors import TokenNameTakenError
from storage import queries, records
from storage.models import ApiToken
from tests.samples import NOON

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def ilse() -> User:
    return User.objects.create_user("ilse")


def make(owner: User, name: str = "nightly", **changes: object) -> str:
    arguments: dict[str, object] = {"expires": None, "now": NOON} | changes
    return records.create_token(owner.pk, name, [Right.WRITE, Right.READ], **arguments)  # type: ignore[arg-type]


def test_a_token_s_secret_leads_to_its_owner_and_scopes(ilse: User) -> None:
    found = queries.token_of(make(ilse), NOON)
    assert found is not None
    assert (found.owner, found.scopes, found.name) == (ilse, ["read", "write"], "nightly")


def test_a_secret_is_long_and_only_its_start_is_kept(ilse: User) -> None:
    secret = make(ilse)
    kept = ApiToken.objects.get()
    assert secret.startswith("atlas_")
    assert len(secret) >= 38
    assert secret.startswith(kept.start)
    assert secret not in {str(value) for value in ApiToken.objects.values().get().values()}
    assert make(ilse, "weekly") != secret


@pytest.mark.parametrize("secret", ["", "atlas_", "atlas_" + "a" * 43, "ünknown"])
def test_a_secret_that_nobody_was_given_leads_to_nobody(ilse: User, secret: str) -> None:
    make(ilse)
    assert queries.token_of(secret, NOON) is None


def test_a_token_is_good_until_it_expires(ilse: User) -> None:
    secret = make(ilse, expires=NOON)
    assert queries.token_of(secret, NOON - SECOND) is not None
    assert queries.token_of(secret, NOON) is None


def test_a_closed_account_s_tokens_are_no_good(ilse: User) -> None:
    secret = make(ilse)
    User.objects.update(is_active=False)
    assert queries.token_of(secret, NOON) is None


def test_a_token_s_use_is_noted_once_a_minute(ilse: User) -> None:
    secret = make(ilse)
    noted = []
    for seconds in (0, 30, 60, 61, 90):
        queries.token_of(secret, NOON + seconds * SECOND)
        noted.append(ApiToken.objects.get().used)
    assert noted == [NOON, NOON, NOON + 60 * SECOND, NOON + 60 * SECOND, NOON + 60 * SECOND]


def test_a_request_with_a_token_costs_one_query_within_a_minute_of_another(
    ilse: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    secret = make(ilse)
    queries.token_of(secret, NOON)
    with django_assert_num_queries(1):
        queries.token_of(secret, NOON)


def test_a_person_s_tokens_have_different_names(ilse: User) -> None:
    make(ilse)
    with pytest.raises(TokenNameTakenError, match="a token named nightly already"):
        make(ilse)
    assert make(User.objects.create_user("jan"))


def test_a_revoked_token_is_no_good(ilse: User) -> None:
    secret = make(ilse)
    assert records.revoke_token(ilse.pk, ApiToken.objects.get().pk) == "nightly"
    assert queries.token_of(secret, NOON) is None


def test_nobody_revokes_another_s_token(ilse: User) -> None:
    secret = make(ilse)
    other = User.objects.create_user("jan")
    assert records.revoke_token(other.pk, ApiToken.objects.get().pk) is None
    assert queries.token_of(secret, NOON) is not None


def test_a_list_comes_back_as_each_person_left_it(ilse: User) -> None:
    records.keep_view(ilse.pk, "models", "q=forest")
    records.keep_view(ilse.pk, "models", "q=linear&sort=-score")
    assert queries.kept_view(ilse.pk, "models") == "q=linear&sort=-score"
    assert queries.kept_view(ilse.pk, "benchmarks") == ""
    assert queries.kept_view(User.objects.create_user("jan").pk, "models") == ""


def test_a_list_that_is_left_without_filters_is_forgotten(ilse: User) -> None:
    records.keep_view(ilse.pk, "models", "q=forest")
    records.keep_view(ilse.pk, "models", "")
    assert queries.kept_view(ilse.pk, "models") == ""


def test_an_address_that_is_too_long_to_keep_changes_nothing(ilse: User) -> None:
    records.keep_view(ilse.pk, "models", "q=forest")
    records.keep_view(ilse.pk, "models", "q=" + "a" * 2000)
    assert queries.kept_view(ilse.pk, "models") == "q=forest"
